import { bytesToBase64 } from '../base64.ts';
import { TlogError } from '../errors.ts';
import { parseHashLine } from '../proof.ts';
import { PROOF_HASHES_MAX } from '../tree.ts';

/** The body of add-checkpoint (C2SP tlog-witness, "add-checkpoint"). */
export interface AddCheckpointRequest {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The checkpoint as a signed note. */
  readonly note: string;
}

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpointRequest): string {
  return `${[`old ${oldSize}`, ...proof.map(bytesToBase64)].join('\n')}\n\n${note}`;
}

/** Throws MALFORMED_REQUEST. */
export function parseAddCheckpoint(body: string): AddCheckpointRequest {
  const split = body.indexOf('\n\n');
  const [old = '', ...lines] = body.slice(0, Math.max(0, split)).split('\n');
  const size = /^old (0|[1-9][0-9]{0,15})$/.exec(old)?.[1];
  if (size === undefined || !Number.isSafeInteger(Number(size)) || lines.length > PROOF_HASHES_MAX) {
    throw new TlogError('MALFORMED_REQUEST', `not «old <size>», at most ${PROOF_HASHES_MAX} hashes, a checkpoint`);
  }
  try {
    return { oldSize: Number(size), proof: lines.map(parseHashLine), note: body.slice(split + 2) };
  } catch (cause) {
    throw new TlogError('MALFORMED_REQUEST', 'a consistency proof line is not the base64 of 32 bytes', { cause });
  }
}
