import { create } from '@bufbuild/protobuf';
import { useQuery } from '@connectrpc/connect-query';
import { type Preferences, PreferencesSchema } from '@strongroom/gen/strongroom/profile/v1/preferences_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { useClaims } from '../session/session-store.ts';

const none = create(PreferencesSchema);

/** What the person has chosen, read once; nothing until it is there, or when it can't be read. */
export function usePreferences(): Preferences {
  const claims = useClaims();
  const { data } = useQuery(
    ProfileService.method.getPreferences,
    {},
    // A restricted token is good for nothing but what restricts it.
    { enabled: claims !== undefined && !claims.isRestricted, staleTime: Number.POSITIVE_INFINITY },
  );
  return data?.preferences ?? none;
}
