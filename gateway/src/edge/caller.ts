import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import type { Authenticator } from '@strongroom/platform/identity';
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
  if (principal === undefined) return;
  request.edge.userId = principal.userId;
  const isBound = principal.keyThumbprint !== undefined;
  if (!isBound && scheme.toLowerCase() === 'bearer') return;
  // A public method looks at no token.
  if (request.edge.match?.policy.access?.audience === Audience.PUBLIC) return;
  // B-dpop: a bound token without its proof is refused, and a proof for an unbound token proves nothing.
  if (principal.keyThumbprint === undefined) throw gatewayErrors.DPOP_PROOF_INVALID();
  await checkProof(request, token, principal.keyThumbprint);
}
