import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CreateUserRequest, CreateUserResponseSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { userAfter } from './guard-act.ts';
import { createMessageToken } from './message-token.ts';
import { requireActor } from './require-actor.ts';
import { linkOf } from './send-verification.ts';
import { normaliseEmail } from './user.ts';
import { roleFromProto, userToProto } from './user-proto.ts';
import { insertUser } from './user-store.ts';

/** The person is invited to set a password; nobody else ever knows one (older fault 35, ASVS V6.4.1, V6.4.6). */
export async function createUser(
  deps: Deps,
  request: CreateUserRequest,
  call: Call,
): Promise<MessageInitShape<typeof CreateUserResponseSchema>> {
  const act = await requireActor(deps, call, request.actorId);
  const { name } = request;
  const email = normaliseEmail(request.email);
  const id = uuidv7();
  const role = roleFromProto(request.role);
  const user = await deps.database.transaction(act, async (tx) => {
    const account = { id, email, name, role, passwordHash: null, emailVerified: false, passwordChangeRequired: false };
    if (!(await insertUser(tx, account))) return undefined;
    const token = await createMessageToken(tx, { id, email }, 'invitation');
    await sendNotice(tx, deps, { id, email, name }, 'invitation', { token, link: linkOf(deps, 'invitation', token) });
    await appendEvent(tx, act, {
      action: 'USER_CREATED',
      resourceType: 'user',
      resourceId: id,
      subjectId: id,
      details: { role },
    });
    return userAfter(tx, id);
  });
  if (user === undefined) throw errors.EMAIL_EXISTS();
  return { user: userToProto(user) };
}
