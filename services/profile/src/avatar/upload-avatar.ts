import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  UploadAvatarRequest,
  UploadAvatarResponseSchema,
} from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { profileToProto } from '../profile/profile-proto.ts';
import { ensureProfile, findProfile, untoldProfile, updateProfileRow } from '../profile/profile-store.ts';
import { reencodeAvatar } from './avatar.ts';
import { putAvatar } from './avatar-store.ts';

export async function uploadAvatar(
  { database, cipher }: Deps,
  { content }: UploadAvatarRequest,
  call: Call,
): Promise<MessageInitShape<typeof UploadAvatarResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const picture = await reencodeAvatar(content);
  if (picture === undefined) throw errors.AVATAR_TYPE_NOT_ALLOWED();
  const act = actOf(call);
  const profile = await database.transaction(act, async (tx) => {
    await ensureProfile(tx, userId);
    await putAvatar(tx, userId, picture);
    await updateProfileRow(tx, cipher, userId, { avatarUrl: `/api/v1/profile/avatars/${userId}` });
    await appendEvent(tx, act, {
      action: 'PROFILE_UPDATED',
      resourceType: 'profile',
      resourceId: userId,
      subjectId: userId,
      details: { fields: 'avatar' },
    });
    return await findProfile(tx, cipher, userId);
  });
  return { profile: profileToProto(profile ?? untoldProfile(userId)) };
}
