import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import { type Authenticator, claimedKeyThumbprint } from '@strongroom/platform/identity';
import type { FastifyRequest } from 'fastify';
import { gatewayErrors } from '../errors.ts';
import type { ProofCheck } from './dpop.ts';

/** RFC 6750, 2.1 and RFC 9449, 7.1. */
const authorizationPattern = /^(Bearer|DPoP) ([A-Za-z0-9._~+/=-]{1,4096})$/i;

/**
 * Learns who calls: for the limits, and to check the proof of a bound token, which names the edge's own address. Never to
 * let anyone in: the service verifies the token again (B-zero), so a bad one is passed on and refused there, on record.
 */
export async function identifyCaller(
  request: FastifyRequest,
  authenticator: Authenticator,
  checkProof: ProofCheck,
): Promise<void> {
  const match = authorizationPattern.exec(request.headers.authorization ?? '');
  if (match === null) return;
  const [, scheme = '', token = ''] = match;
  request.edge.bearerToken = token;
  const principal = await authenticator.authenticate(token).catch((error: unknown) => {
    if (isServiceError(error)) return undefined;
    throw error;
  });
  if (principal !== undefined) request.edge.userId = principal.userId;
  // A public method looks at no token.
  if (request.edge.match?.policy.access?.audience === Audience.PUBLIC) return;
  // B-dpop: a bound token without its proof is refused. What it says itself counts, not whether the edge could verify
  // it: a service that knows a key which the edge doesn't know yet would take it.
  const thumbprint = claimedKeyThumbprint(token);
  if (thumbprint !== undefined) await checkProof(request, token, thumbprint);
  // A proof for an unbound token proves nothing.
  else if (principal !== undefined && scheme.toLowerCase() === 'dpop') throw gatewayErrors.DPOP_PROOF_INVALID();
}
