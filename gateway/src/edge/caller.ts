import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import { type Authenticator, claimedKeyThumbprint } from '@strongroom/platform/identity';
import type { FastifyRequest } from 'fastify';
import type { ProofCheck } from './dpop.ts';

/** RFC 6750, 2.1 and RFC 9449, 7.1. */
const authorizationPattern = /^(?:Bearer|DPoP) ([A-Za-z0-9._~+/=-]{1,4096})$/i;

/**
 * Learns who calls, for the limits, and by which key a bound token was proven: the proof names the edge's own address.
 * Never to let anyone in or turn anyone away: the service verifies the token again (B-zero) and compares the key, so that
 * a bad token and a bad proof (B-dpop) are refused there, on record.
 */
export async function identifyCaller(
  request: FastifyRequest,
  authenticator: Authenticator,
  checkProof: ProofCheck,
): Promise<void> {
  const { edge } = request;
  const [, token] = authorizationPattern.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) return;
  const principal = await authenticator.authenticate(token).catch((error: unknown) => {
    if (isServiceError(error)) return undefined;
    throw error;
  });
  // What the token says itself counts, not whether the edge could verify it: a service may know a key that the edge
  // doesn't know yet.
  const thumbprint = claimedKeyThumbprint(token);
  if (thumbprint !== undefined) {
    // A public method looks at no token. And whoever lacks the proof must not eat the owner's budget.
    const isPublic = edge.match?.policy.access?.audience === Audience.PUBLIC;
    if (isPublic || !(await checkProof(request, token, thumbprint))) return;
    edge.provenKey = thumbprint;
  }
  edge.userId = principal?.userId;
}
