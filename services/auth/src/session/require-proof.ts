import { getOption, hasOption } from '@bufbuild/protobuf';
import { http } from '@strongroom/gen/google/api/annotations_pb.ts';
import { equalConstantTime } from '@strongroom/platform/crypto';
import { commonErrors } from '@strongroom/platform/errors';
import { dpopLifeS, verifyDpopProof } from '@strongroom/platform/identity';
import type { Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { useProof } from '../used-proof-store.ts';

/** Thumbprint of the key that a sign-in wants its tokens bound to; undefined without a proof (B-dpop: optional). */
export async function keyThumbprintOfProof(deps: Deps, call: Call): Promise<string | undefined> {
  const header = call.requestHeader.get('dpop');
  if (header === null) return undefined;
  const proof = await verifyDpopProof(header, {
    method: 'POST',
    paths: pathsOf(call),
    origins: deps.config.DPOP_ORIGINS,
    nowMs: deps.now(),
  });
  if (proof === undefined) throw commonErrors.DPOP_PROOF_INVALID();
  if (!(await useProof(deps.database, proof.replayHash, dpopLifeS))) throw commonErrors.DPOP_PROOF_INVALID();
  return proof.thumbprint;
}

/** RFC 9449 section 5: a bound refresh token is nothing without a proof of its key. */
export async function requireBoundProof(deps: Deps, call: Call, bound: string | null): Promise<void> {
  if (bound === null) return;
  const thumbprint = await keyThumbprintOfProof(deps, call);
  if (thumbprint === undefined || !equalConstantTime(thumbprint, bound)) throw commonErrors.DPOP_PROOF_INVALID();
}

/** The REST path of the method, and the Connect path that the edge passes through. */
function pathsOf({ method }: Call): string[] {
  const connect = `/${method.parent.typeName}/${method.name}`;
  const pattern = hasOption(method, http) ? getOption(method, http).pattern : undefined;
  return typeof pattern?.value === 'string' ? [connect, pattern.value] : [connect];
}
