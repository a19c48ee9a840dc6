import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RegisterRequest, RegisterResponseSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import { requireCaptcha } from '../captcha/require-captcha.ts';
import { isEmailVerificationRequired } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { sendNotice } from '../notices.ts';
import { requireGoodPassword } from '../password/require-password.ts';
import { openSession } from '../session/open-session.ts';
import { keyThumbprintOfProof } from '../session/require-proof.ts';
import { isMessageRecent } from './message-token.ts';
import { sendVerification } from './send-verification.ts';
import { normaliseEmail, type UserRow } from './user.ts';
import { userToProto } from './user-proto.ts';
import { findUserByEmailAddress, insertUser, lockUser, type NewUser } from './user-store.ts';

type Response = MessageInitShape<typeof RegisterResponseSchema>;

/** Makes a CUSTOMER: there is no role to ask for (older fault 1). */
export async function register(deps: Deps, request: RegisterRequest, call: Call): Promise<Response> {
  const email = normaliseEmail(request.email);
  const keyThumbprint = await keyThumbprintOfProof(deps, call);
  await requireCaptcha(deps, request.captcha, email);
  await requireGoodPassword(deps, 'password', request.password, { email, name: request.name }, call.signal);
  // Hashed before anyone looks whether the address is known: both ways take the same time (S1.3d).
  const passwordHash = await deps.hasher.hash(request.password, call.signal);
  const user: NewUser = {
    id: uuidv7(),
    email,
    name: request.name,
    role: 'CUSTOMER',
    passwordHash,
    emailVerified: false,
    passwordChangeRequired: false,
  };
  return isEmailVerificationRequired(deps.config)
    ? registerUnseen(deps, call, user)
    : registerAtOnce(deps, call, user, keyThumbprint);
}

/** EMAIL_VERIFICATION=off: tokens at once, and a known address is told. */
async function registerAtOnce(
  deps: Deps,
  call: Call,
  user: NewUser,
  keyThumbprint: string | undefined,
): Promise<Response> {
  const act = actAs(call, user.id);
  const made = await deps.database.transaction(act, async (tx) => {
    if (!(await insertUser(tx, user))) return undefined;
    const row = await lockUser(tx, user.id);
    if (row === undefined) throw new Error('a new user is not there');
    const opened = await openSession(tx, deps, call, row, { methods: ['pwd'], keyThumbprint });
    await sendVerification(tx, deps, row);
    await appendEvent(tx, act, registered(row));
    return { row, opened };
  });
  await failpoint('auth.register.after-commit');
  if (made === undefined) {
    deps.metrics.increment('auth_registrations_total', { outcome: 'email-exists' });
    await recordKnownAddress(deps, call, user.email);
    throw errors.EMAIL_EXISTS();
  }
  deps.metrics.increment('auth_registrations_total', { outcome: 'registered' });
  return { user: userToProto(made.row), tokens: made.opened.tokens };
}

/** EMAIL_VERIFICATION=required: the same answer whoever asks; what differs goes to the address (S1.3d). */
async function registerUnseen(deps: Deps, call: Call, user: NewUser): Promise<Response> {
  const act = actOf(call);
  const isNew = await deps.database.transaction(act, async (tx) => {
    if (!(await insertUser(tx, user))) return false;
    await sendVerification(tx, deps, user);
    await appendEvent(tx, act, registered({ id: user.id, role: user.role }));
    return true;
  });
  deps.metrics.increment('auth_registrations_total', { outcome: isNew ? 'registered' : 'known-address' });
  if (!isNew) await recordKnownAddress(deps, call, user.email);
  call.responseHeader.set('x-strongroom-http-status', '202');
  return { verification: 'sent' };
}

/** The owner of a known address learns that somebody tried, or gets the proof of it once more. */
async function recordKnownAddress(deps: Deps, call: Call, email: string): Promise<void> {
  const act = actOf(call);
  await deps.database.transaction(act, async (tx) => {
    const known = await findUserByEmailAddress(tx, email);
    if (known === undefined) return;
    if (isEmailVerificationRequired(deps.config)) {
      if (!known.emailVerified) await sendVerification(tx, deps, known);
      else if (!(await isMessageRecent(tx, known.id, 'verify-email', 60))) {
        await sendNotice(tx, deps, known, 'account-exists');
      }
    }
    await appendEvent(tx, act, {
      action: 'USER_LOGIN_FAILED',
      resourceType: 'user',
      resourceId: known.id,
      subjectId: known.id,
      details: { reason: 'registration-of-known-address' },
    });
  });
}

function registered(user: Pick<UserRow, 'id' | 'role'>) {
  return {
    action: 'USER_REGISTERED' as const,
    resourceType: 'user' as const,
    resourceId: user.id,
    subjectId: user.id,
    details: { role: user.role },
  };
}
