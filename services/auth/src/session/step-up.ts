import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StepUpRequest, StepUpResponseSchema } from '@strongroom/gen/strongroom/auth/v1/mfa_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, type Principal, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { methodsOfAnswer, type SecondFactorAnswer } from '../mfa/second-factor.ts';
import { verifyOwnFactor } from '../mfa/verify-own-code.ts';
import { challengeIdHash, challengeOf } from '../passkey/passkey.ts';
import { takePasskeyChallenge } from '../passkey/passkey-store.ts';
import { verifyOwnPassword } from '../password/verify-own-password.ts';
import { accessTokenLifeS } from '../secret/access-token.ts';
import type { UserRow } from '../user/user.ts';
import { findUser } from '../user/user-store.ts';
import { issueAccessToken } from './issue-tokens.ts';
import { setSessionAuthentication } from './session-store.ts';
import { stepUpChallenge } from './step-up-challenge.ts';

/**
 * Proves presence again (S7.1, ASVS V7.5.3). Whoever has a second factor must show it: a password alone would let a
 * stolen session and a guessed password do what the factor is there to prevent. The old access token ends (V7.2.4).
 */
export async function stepUp(
  deps: Deps,
  request: StepUpRequest,
  call: Call,
): Promise<MessageInitShape<typeof StepUpResponseSchema>> {
  const principal = requirePrincipal(call);
  const user = await findUser(deps.database, principal.userId);
  if (user === undefined) throw errors.USER_NOT_FOUND();
  const proven = await proveAgain(deps, call, user, request);
  const act = actOf(call);
  const methods = methodsAfter(principal, proven);
  const { session, revocations } = await deps.database.transaction(act, async (tx) => {
    const session = await setSessionAuthentication(tx, principal.sessionId, methods);
    if (session === undefined) throw commonErrors.TOKEN_REVOKED();
    const revocations = await deps.denylist.record(tx, [{ kind: 'jti', subject: principal.tokenId }]);
    await appendEvent(tx, act, {
      action: 'USER_LOGIN',
      resourceType: 'session',
      resourceId: principal.sessionId,
      subjectId: user.id,
      details: { methods: methods.join(' '), stepUp: 'true' },
    });
    return { session, revocations };
  });
  await deps.denylist.apply(revocations);
  return { accessToken: issueAccessToken(deps, session, user), expiresIn: accessTokenLifeS };
}

/** The methods that were shown now; throws with what is needed when none was. */
async function proveAgain(deps: Deps, call: Call, user: UserRow, request: StepUpRequest): Promise<string[]> {
  const answer = await answerOf(deps, call, user, request);
  if (answer !== undefined) {
    await verifyOwnFactor(deps, call, user, answer);
    return [methodsOfAnswer[answer.case], 'mfa'];
  }
  if (user.mfaEnabled || request.password === undefined) throw await stepUpChallenge(deps, call, user);
  await verifyOwnPassword(deps, call, user, request.password);
  return ['pwd'];
}

async function answerOf(
  deps: Deps,
  call: Call,
  user: UserRow,
  request: StepUpRequest,
): Promise<SecondFactorAnswer | undefined> {
  if (request.code !== undefined) return { case: 'code', value: request.code };
  if (request.passkeyResponseJson === undefined) return undefined;
  const sent = challengeOf(request.passkeyResponseJson) ?? '';
  const ours = await deps.database.transaction(actOf(call), (tx) =>
    takePasskeyChallenge(tx, challengeIdHash(sent), 'step-up'),
  );
  const challenge = ours?.userId === user.id ? ours.challenge : undefined;
  return { case: 'passkeyResponseJson', value: request.passkeyResponseJson, challenge };
}

function methodsAfter({ authenticationMethods }: Principal, proven: readonly string[]): string[] {
  return [...new Set([...authenticationMethods, ...proven])];
}
