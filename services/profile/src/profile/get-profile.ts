import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetProfileRequest, GetProfileResponseSchema } from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { type Call, requireAssurance, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { profileToProto } from './profile-proto.ts';
import { findProfile, untoldProfile } from './profile-store.ts';

/** What seeing the whole tax id needs (ASVS V7.5.3). */
const revealAssurance = { mfa: true, maxAuthenticationAgeS: 900 };

export async function getProfile(
  { database, cipher }: Deps,
  { reveal }: GetProfileRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetProfileResponseSchema>> {
  const principal = requirePrincipal(call);
  if (reveal) requireAssurance(principal, revealAssurance);
  const { userId } = principal;
  const profile = (await findProfile(database, cipher, userId)) ?? untoldProfile(userId);
  return { profile: profileToProto(profile, { reveal }) };
}
