import { verifyDpopProof } from '@strongroom/platform/identity';
import type { FastifyRequest } from 'fastify';
import { gatewayErrors } from '../errors.ts';
import type { ProofLedger } from './proof-ledger.ts';

/** Throws DPOP_PROOF_INVALID unless the request proves the key that its token is bound to (RFC 9449, 4.3 and 7). */
export type ProofCheck = (request: FastifyRequest, token: string, thumbprint: string) => Promise<void>;

export interface ProofOptions {
  /** Origins that people reach the system under. */
  readonly origins: readonly string[];
  readonly ledger: ProofLedger;
  readonly now?: () => number;
}

export function createProofCheck({ origins, ledger, now = Date.now }: ProofOptions): ProofCheck {
  return async (request, token, thumbprint) => {
    const header = request.headers['dpop'];
    // Two fields arrive as one, with a comma, which no JWT holds: "not more than one" (RFC 9449, 4.3).
    if (typeof header !== 'string') throw gatewayErrors.DPOP_PROOF_INVALID();
    const proof = await verifyDpopProof(header, {
      method: request.method,
      paths: [new URL(request.edge.path, 'http://edge').pathname],
      origins,
      nowMs: now(),
      accessToken: token,
    });
    if (proof?.thumbprint !== thumbprint) throw gatewayErrors.DPOP_PROOF_INVALID();
    // Last, so that a proof that is wrong anyway doesn't use up an id.
    if (!(await ledger.spend(proof.replayHash))) throw gatewayErrors.DPOP_PROOF_INVALID();
  };
}
