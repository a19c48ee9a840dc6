import { parseUnverifiedCheckpoint } from '../checkpoint.ts';
import { createCosignatureVerifier } from '../cosignature.ts';
import { TlogError } from '../errors.ts';
import {
  appendSignatureLines,
  openNote,
  parseVerifierKey,
  requireType,
  SIGNATURE_TYPE_COSIGNATURE,
  type VerifierKey,
} from '../note.ts';
import { formatAddCheckpoint } from './request.ts';

const TIMEOUT_MS_DEFAULT = 5_000;
const RESPONSE_BYTES_MAX = 65_536;
/** The first attempt guesses the witness's size; a 409 names it; a second 409 means someone else submits too. */
const ATTEMPTS_MAX = 3;

export interface WitnessClient {
  /**
   * Asks for a cosignature of a signed checkpoint. `oldSize` is the size last cosigned, as far as known (0 is a safe
   * guess); `readProof(oldSize)` gives the consistency proof from there to the checkpoint. Gives the note with the
   * witness's line added, and the size to remember. Throws WITNESS_AHEAD if the witness has cosigned a larger tree than
   * this checkpoint's: this log was rolled back, or another one signs with its key. WITNESS_REFUSED for other refusals.
   */
  cosign(request: {
    readonly note: string;
    readonly oldSize: number;
    readonly readProof: (oldSize: number) => Promise<readonly Uint8Array[]>;
  }): Promise<{ note: string; size: number }>;
  /** The key its cosignatures are checked with; undefined while it is not known yet. */
  verifierKey(): Promise<VerifierKey | undefined>;
}

export function createWitnessClient(options: {
  /** The submission prefix of the witness. */
  readonly url: string;
  /** The witness's verifier key, type 4. */
  readonly verifierKey: string;
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}): WitnessClient {
  const key = parseVerifierKey(options.verifierKey);
  requireType(key, SIGNATURE_TYPE_COSIGNATURE);
  const verifier = createCosignatureVerifier(key);
  const send = options.fetch ?? fetch;
  const submit = async (body: string): Promise<{ response: Response; text: string }> => {
    const response = await send(`${options.url.replace(/\/+$/, '')}/add-checkpoint`, {
      method: 'POST',
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS_DEFAULT),
    });
    return { response, text: await readBounded(response) };
  };
  return {
    async cosign({ note, oldSize, readProof }) {
      const { size } = parseUnverifiedCheckpoint(note);
      let from = oldSize;
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
        const { response, text } = await submit(
          formatAddCheckpoint({ oldSize: from, proof: await readProof(from), note }),
        );
        if (response.status === 200) return { note: addLines(note, text), size };
        from = sizeFromConflict(response, text, size);
      }
      throw new TlogError('WITNESS_REFUSED', `${key.name} named another size ${ATTEMPTS_MAX} times`);
    },
    verifierKey: async () => key,
  };

  /** "The client MAY concatenate it to the checkpoint", ignoring lines of unknown keys. */
  function addLines(note: string, lines: string): string {
    const { verified } = openNote(note + lines, [verifier]);
    return appendSignatureLines(
      note,
      verified.map(({ line }) => line),
    );
  }

  function sizeFromConflict(response: Response, text: string, size: number): number {
    const isSize = response.status === 409 && response.headers.get('content-type') === 'text/x.tlog.size';
    const witnessed = isSize && /^(0|[1-9][0-9]{0,15})\n$/.test(text) ? Number(text) : undefined;
    if (witnessed === undefined) {
      throw new TlogError('WITNESS_REFUSED', `${key.name} answers ${response.status}: ${text.slice(0, 200).trim()}`);
    }
    if (witnessed > size) {
      throw new TlogError('WITNESS_AHEAD', `${key.name} has cosigned size ${witnessed}, this checkpoint is of ${size}`);
    }
    return witnessed;
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > RESPONSE_BYTES_MAX) throw new TlogError('WITNESS_REFUSED', 'the witness answers at too great length');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
