import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetProfileRequest, GetProfileResponseSchema } from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { profileToProto } from './profile-proto.ts';
import { findProfile, untoldProfile } from './profile-store.ts';

/** Seeing the whole tax id needs a sign-in not older than this (ASVS 7.5.3). */
const revealAuthenticationAgeMaxS = 900;

export async function getProfile(
  { database, cipher }: Deps,
  { reveal }: GetProfileRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetProfileResponseSchema>> {
  const { userId, authenticationTime } = requirePrincipal(call);
  const ageS = (Date.now() - authenticationTime.getTime()) / 1000;
  if (reveal && ageS > revealAuthenticationAgeMaxS) {
    throw commonErrors.STEP_UP_REQUIRED({ metadata: { maxAuthenticationAgeS: String(revealAuthenticationAgeMaxS) } });
  }
  const profile = (await findProfile(database, cipher, userId)) ?? untoldProfile(userId);
  return { profile: profileToProto(profile, { reveal }) };
}
