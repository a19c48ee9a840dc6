import type { ServiceImpl } from '@connectrpc/connect';
import type { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { useCase } from '@strongroom/platform/rpc';
import { getAvatar } from './avatar/get-avatar.ts';
import { uploadAvatar } from './avatar/upload-avatar.ts';
import type { Deps } from './deps.ts';
import { eraseMe } from './personal-data/erase-me.ts';
import { exportMyData } from './personal-data/export-my-data.ts';
import { getPreferences } from './preferences/get-preferences.ts';
import { updatePreferences } from './preferences/update-preferences.ts';
import { getProfile } from './profile/get-profile.ts';
import { updateProfile } from './profile/update-profile.ts';

export function createRoutes(deps: Deps): Partial<ServiceImpl<typeof ProfileService>> {
  return {
    getProfile: useCase(getProfile, deps),
    updateProfile: useCase(updateProfile, deps),
    uploadAvatar: useCase(uploadAvatar, deps),
    getAvatar: useCase(getAvatar, deps),
    getPreferences: useCase(getPreferences, deps),
    updatePreferences: useCase(updatePreferences, deps),
    exportMyData: useCase(exportMyData, deps),
    eraseMe: useCase(eraseMe, deps),
  };
}
