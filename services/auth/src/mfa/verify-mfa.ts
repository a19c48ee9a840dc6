import type { MessageInitShape } from '@bufbuild/protobuf';
import type { VerifyMfaRequest, VerifyMfaResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { failpoint } from '@strongroom/platform/process';
import type { Call } from '@strongroom/platform/rpc';
import { actAs } from '../acts.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { GuessTarget } from '../lockout/attempt-guard.ts';
import { challengeIdHash } from '../passkey/passkey.ts';
import { finishSignIn } from '../session/finish-sign-in.ts';
import { rememberDevice } from '../session/remember-device.ts';
import { requireBoundProof } from '../session/require-proof.ts';
import type { UserRow } from '../user/user.ts';
import { findUser, lockUser } from '../user/user-store.ts';
import { type ChallengeRow, countChallengeFailure, findChallenge, useChallenge } from './mfa-store.ts';
import { challengeFailuresMax } from './open-challenge.ts';
import {
  acceptSecondFactor,
  countSuccess,
  failSecondFactor,
  methodsOfAnswer,
  reserveSecondFactor,
  type SecondFactorAnswer,
} from './second-factor.ts';

type Response = MessageInitShape<typeof VerifyMfaResponseSchema>;

/** Answers a challenge of Login. Of any number of parallel answers one opens a session (F27). */
export async function verifyMfa(deps: Deps, request: VerifyMfaRequest, call: Call): Promise<Response> {
  const idHash = challengeIdHash(request.challengeId);
  const challenge = await findChallenge(deps.database, idHash, challengeFailuresMax);
  const user = challenge === undefined ? undefined : await findUser(deps.database, challenge.userId);
  if (challenge?.isAlive !== true || user === undefined) throw errors.MFA_CHALLENGE_INVALID();
  await requireBoundProof(deps, call, challenge.keyThumbprint);
  const answer = answerOf(request, challenge);
  const target = await reserveSecondFactor(deps, call, user);
  const opened = await openIfRight(deps, call, user, challenge, answer, target);
  await deps.guard.mirror(target);
  if (opened === undefined) {
    await failSecondFactor(deps, call, user, target);
    await countChallengeFailure(deps.database, idHash);
    throw answer.case === 'passkeyResponseJson' ? errors.PASSKEY_INVALID() : errors.MFA_CODE_INVALID();
  }
  countSuccess(deps, answer);
  await failpoint('auth.verify-mfa.after-commit');
  await deps.denylist.apply(opened.revocations);
  return { tokens: opened.tokens, deviceToken: opened.deviceToken };
}

async function openIfRight(
  deps: Deps,
  call: Call,
  user: UserRow,
  challenge: ChallengeRow,
  answer: SecondFactorAnswer,
  target: GuessTarget,
) {
  return deps.database.transaction(actAs(call, user.id), async (tx) => {
    const current = await lockUser(tx, user.id);
    if (current === undefined || current.status !== 'ACTIVE') return undefined;
    if (!(await acceptSecondFactor(tx, deps, current, answer))) return undefined;
    // Used up only now: a wrong answer must not end the challenge, and a right one ends it with the session it opens.
    if (!(await useChallenge(tx, challenge.idHash, challengeFailuresMax))) throw errors.MFA_CHALLENGE_INVALID();
    await deps.guard.succeed(tx, target);
    const methods = ['pwd', methodsOfAnswer[answer.case], 'mfa'];
    const knownDeviceId = challenge.knownDeviceId ?? undefined;
    const opened = await finishSignIn(tx, deps, call, current, methods, {
      keyThumbprint: challenge.keyThumbprint ?? undefined,
      knownDeviceId,
      failuresBefore: challenge.failuresBefore,
    });
    const deviceToken = await rememberDevice(tx, deps, current, knownDeviceId);
    return { ...opened, deviceToken };
  });
}

function answerOf({ answer }: VerifyMfaRequest, challenge: ChallengeRow): SecondFactorAnswer {
  if (answer.case === undefined) throw errors.MFA_CODE_INVALID();
  if (answer.case !== 'passkeyResponseJson') return { case: answer.case, value: answer.value };
  return { case: answer.case, value: answer.value, challenge: challenge.passkeyChallenge ?? undefined };
}
