import { create, type MessageShape } from '@bufbuild/protobuf';
import { type GetProfileRequest, GetProfileResponseSchema } from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { type Call, requireAssurance, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { profileToProto } from './profile-proto.ts';
import { findProfile, untoldProfile } from './profile-store.ts';

/** What seeing the whole tax id needs (ASVS V7.5.3). */
const revealAssurance = { mfa: true, maxAuthenticationAgeS: 900 };

export async function getProfile(
  { database, cipher, staleReads }: Pick<Deps, 'database' | 'cipher' | 'staleReads'>,
  { reveal }: GetProfileRequest,
  call: Call,
): Promise<MessageShape<typeof GetProfileResponseSchema>> {
  const principal = requirePrincipal(call);
  if (reveal) requireAssurance(principal, revealAssurance);
  const { userId } = principal;
  const ask = async () => {
    const profile = (await findProfile(database, cipher, userId)) ?? untoldProfile(userId);
    return create(GetProfileResponseSchema, { profile: profileToProto(profile, { reveal }) });
  };
  // Values in clear are kept nowhere.
  if (reveal) return ask();
  const { message, stale } = await staleReads.read({
    kind: 'profile',
    userId,
    parts: [],
    schema: GetProfileResponseSchema,
    ask,
  });
  if (stale && message.profile !== undefined) message.profile.stale = true;
  return message;
}
