import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts';
import { TlogError } from '../errors.ts';
import { emptyRoot, isSameHash } from '../hash.ts';
import {
  createNoteVerifier,
  type NoteSignature,
  type NoteSigner,
  openNote,
  parseNote,
  signatureLine,
  type VerifierKey,
} from '../note.ts';
import { isConsistencyProofValid } from '../tree.ts';
import { type AddCheckpointRequest, parseAddCheckpoint } from './request.ts';
import type { CheckpointStore, StoredCheckpoint } from './store.ts';

/** The witness's answer in terms of C2SP tlog-witness. */
export type AddCheckpointAnswer =
  | { readonly status: 200; readonly body: string }
  | { readonly status: 409; readonly size: number }
  | { readonly status: 400 | 403 | 404 | 409 | 422; readonly body: string };

export interface WitnessDeps {
  readonly signer: NoteSigner;
  readonly store: CheckpointStore;
  /** The log keys (type 1) trusted now; a log's origin is its key's name. */
  readonly readLogKeys: () => Promise<readonly VerifierKey[]>;
}

/**
 * Serves add-checkpoint: one request an origin at a time, as looking at the latest checkpoint and replacing it must be
 * one step ("persisting the new checkpoint must be performed atomically").
 */
export function createAddCheckpoint(deps: WitnessDeps): (body: string) => Promise<AddCheckpointAnswer> {
  const queues = new Map<string, Promise<unknown>>();
  return async (body) => {
    const checked = await checkRequest(body, deps);
    if ('status' in checked) return checked;
    const { origin } = checked.checkpoint;
    const turn = (queues.get(origin) ?? Promise.resolve()).then(() => cosign(checked, deps));
    // Only trusted origins get here, so the map is as bounded as the list of log keys.
    queues.set(
      origin,
      turn.catch(() => undefined),
    );
    return turn;
  };
}

interface CheckedRequest {
  readonly request: AddCheckpointRequest;
  readonly text: string;
  readonly checkpoint: Checkpoint;
  /** The log's signatures that hold; others are not kept. */
  readonly verified: readonly NoteSignature[];
}

/** All that can be told without the store, in the order of the specification. */
async function checkRequest(body: string, deps: WitnessDeps): Promise<CheckedRequest | AddCheckpointAnswer> {
  let request: AddCheckpointRequest;
  let text: string;
  let checkpoint: Checkpoint;
  try {
    request = parseAddCheckpoint(body);
    ({ text } = parseNote(request.note));
    checkpoint = parseCheckpoint(text);
  } catch (error) {
    return refusal(400, error);
  }
  const keys = (await deps.readLogKeys()).filter(({ name }) => name === checkpoint.origin);
  if (keys.length === 0) return { status: 404, body: 'unknown log origin\n' };
  try {
    const { verified } = openNote(request.note, keys.map(createNoteVerifier));
    if (request.oldSize > checkpoint.size) return { status: 400, body: 'the old size is larger than the new one\n' };
    return { request, text, checkpoint, verified };
  } catch (error) {
    return refusal(403, error);
  }
}

async function cosign(checked: CheckedRequest, { signer, store }: WitnessDeps): Promise<AddCheckpointAnswer> {
  const { request, text, checkpoint, verified } = checked;
  const latest = await store.latest(checkpoint.origin);
  const conflict = compareWithLatest(request, checkpoint, latest);
  if (conflict) return conflict;
  const line = await signatureLine(text, signer);
  const note = `${text}\n${verified.map((signature) => signature.line).join('')}${line}`;
  // "The witness MUST persist the new checkpoint before responding."
  if (!(await store.advance(checkpoint.origin, latest?.sequence ?? 0, note))) {
    return { status: 409, size: (await store.latest(checkpoint.origin))?.checkpoint.size ?? 0 };
  }
  return { status: 200, body: line };
}

/** Undefined if the checkpoint extends the latest one. */
function compareWithLatest(
  { oldSize, proof }: AddCheckpointRequest,
  { size, root }: Checkpoint,
  latest: StoredCheckpoint | undefined,
): AddCheckpointAnswer | undefined {
  const oldRoot = latest?.checkpoint.root ?? emptyRoot();
  const latestSize = latest?.checkpoint.size ?? 0;
  if (oldSize !== latestSize) return { status: 409, size: latestSize };
  if (oldSize === size && !isSameHash(oldRoot, root)) {
    if (size === 0) return { status: 422, body: 'the root is not that of an empty tree\n' };
    return { status: 409, body: 'another root was cosigned for this size: the log has forked\n' };
  }
  if (isConsistencyProofValid({ oldSize, oldRoot, size, root, proof })) return undefined;
  return { status: 422, body: 'the consistency proof does not hold\n' };
}

function refusal(status: 400 | 403, error: unknown): AddCheckpointAnswer {
  if (!(error instanceof TlogError)) throw error;
  return { status, body: `${error.message}\n` };
}
