import type { MessageInitShape } from '@bufbuild/protobuf';
import type { SessionSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { ListedSession } from './session-store.ts';

export function sessionToProto(session: ListedSession, currentId: string): MessageInitShape<typeof SessionSchema> {
  return {
    id: session.id,
    userAgent: session.userAgent,
    ipAddress: session.ipAddress,
    createTime: timestampToProto(session.createTime),
    lastUsedTime: timestampToProto(session.lastUsedTime),
    expireTime: timestampToProto(session.expireTime),
    current: session.id === currentId,
    authenticationMethods: session.authenticationMethods,
  };
}
