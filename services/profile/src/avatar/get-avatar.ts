import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetAvatarRequest, GetAvatarResponseSchema } from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { findAvatar } from './avatar-store.ts';

export async function getAvatar(
  { database }: Deps,
  { userId }: GetAvatarRequest,
  _call: Call,
): Promise<MessageInitShape<typeof GetAvatarResponseSchema>> {
  const content = await findAvatar(database, userId);
  if (content === undefined) throw errors.AVATAR_NOT_FOUND();
  return { content, contentType: 'image/webp' };
}
