import { create } from '@bufbuild/protobuf';
import { type Profile, ProfileSchema } from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import { maskTail } from './profile.ts';
import type { StoredProfile } from './profile-store.ts';

/** `reveal`: the tax id in clear; otherwise only its end is shown. */
export function profileToProto(
  profile: StoredProfile,
  { reveal = false }: { readonly reveal?: boolean } = {},
): Profile {
  const message = create(ProfileSchema, {
    userId: profile.userId,
    phone: profile.phone,
    address: profile.address,
    bio: profile.bio,
    avatarUrl: profile.avatarUrl,
    taxId: reveal ? profile.taxId : maskTail(profile.taxId),
    dateOfBirth: profile.dateOfBirth,
    etag: profileEtag(profile),
  });
  if (profile.createTime !== '') message.createTime = timestampToProto(profile.createTime);
  if (profile.updateTime !== '') message.updateTime = timestampToProto(profile.updateTime);
  return message;
}

export function profileEtag({ version }: Pick<StoredProfile, 'version'>): string {
  return `"${version}"`;
}
