import { verifyDpopProof } from '@strongroom/platform/identity';
import type { FastifyRequest } from 'fastify';
import type { ProofLedger } from './proof-ledger.ts';

/** Whether the request proves the key that its token is bound to (RFC 9449, 4.3 and 7). Each proof counts once. */
export type ProofCheck = (request: FastifyRequest, token: string, thumbprint: string) => Promise<boolean>;

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
    if (typeof header !== 'string') return false;
    const proof = await verifyDpopProof(header, {
      method: request.method,
      paths: [new URL(request.edge.path, 'http://edge').pathname],
      origins,
      nowMs: now(),
      accessToken: token,
    });
    // The ledger last, so that a proof that is wrong anyway doesn't use up an id.
    return proof?.thumbprint === thumbprint && (await ledger.spend(proof.replayHash));
  };
}
