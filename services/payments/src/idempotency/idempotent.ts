import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { equalConstantTime, sha256 } from '@strongroom/platform/crypto';
import type { Transaction } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import {
  claimKey,
  findKey,
  type KeyUse,
  releaseKey,
  type StoredKey,
  storeResponse,
  takeOverKey,
} from './idempotency-store.ts';
import { hashRequest } from './request-hash.ts';

/** How soon a second request may ask again while the first one's transaction runs. */
const busyRetryAfterMs = 1_000;

type IdempotencyDeps = Pick<Deps, 'database' | 'cipher' | 'metrics' | 'config' | 'keysInFlight'>;

/** The use of a key that a call makes; undefined for a call without one, where it is optional. */
export function keyUseOf(deps: IdempotencyDeps, request: Message, call: Call): KeyUse | undefined {
  if (call.idempotencyKey === undefined) return undefined;
  const { userId } = requirePrincipal(call);
  const method = call.method.name;
  const keyHash = sha256(call.idempotencyKey);
  const requestHash = hashRequest(call.method.input, request);
  return {
    userId,
    method,
    keyHash,
    requestHash,
    sealedRequestHash: deps.cipher.seal(requestHash, placeOf({ userId, method, keyHash }, 'request_hash')),
    lock: sha256(`${userId}\n${method}\n${keyHash.toString('hex')}`).readBigInt64BE(0),
    lifetimeS: deps.config.IDEMPOTENCY_KEY_TTL_S,
  };
}

/**
 * Runs `work` unless this process works on the same key already. Whoever comes second is answered at once, before
 * anything is asked of anyone: with what is stored, or by 409. A thousand repetitions so cost a look each (F19).
 */
export async function runAlone<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  use: KeyUse,
  call: Call,
  work: () => Promise<MessageShape<Schema>>,
): Promise<MessageShape<Schema>> {
  const { running } = deps.keysInFlight;
  if (running.has(use.lock)) return replayOrConflict(deps, schema, use, call);
  running.add(use.lock);
  try {
    return await work();
  } finally {
    running.delete(use.lock);
  }
}

/** What a use case must know before its transaction, asked for outside of it. */
export interface PreparedWork<Schema extends DescMessage, Prepared> {
  /** Not run for a repetition, which is answered from what is stored alone. */
  readonly prepare: () => Promise<Prepared>;
  readonly write: (tx: Transaction, prepared: Prepared) => Promise<MessageInitShape<Schema>>;
}

export async function runPrepared<Schema extends DescMessage, Prepared>(
  deps: IdempotencyDeps,
  schema: Schema,
  request: Message,
  call: Call,
  { prepare, write }: PreparedWork<Schema, Prepared>,
): Promise<MessageShape<Schema>> {
  const use = keyUseOf(deps, request, call);
  const replayed = use === undefined ? undefined : await replayIfKnown(deps, schema, use, call);
  if (replayed !== undefined) return replayed;
  const prepared = await prepare();
  return runIdempotent(deps, schema, request, call, (tx) => write(tx, prepared));
}

/**
 * Runs a use case whose effects are all in one transaction, together with its key and its answer (B-idem). A refusal
 * rolls all of it back, so nothing is stored for it and the key stays free. A crash does the same.
 */
export async function runIdempotent<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  request: Message,
  call: Call,
  work: (tx: Transaction) => Promise<MessageInitShape<Schema>>,
): Promise<MessageShape<Schema>> {
  const use = keyUseOf(deps, request, call);
  if (use === undefined) {
    return deps.database.transaction(actOf(call), async (tx) => create(schema, await work(tx)));
  }
  return runAlone(deps, schema, use, call, () => runWithKey(deps, schema, use, call, work));
}

async function runWithKey<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  use: KeyUse,
  call: Call,
  work: (tx: Transaction) => Promise<MessageInitShape<Schema>>,
): Promise<MessageShape<Schema>> {
  const outcome = await deps.database.transaction(actOf(call), async (tx) => {
    const claim = await claimKey(tx, use, deps.config.IDEMPOTENCY_LEASE_MS);
    if (claim !== 'claimed') return claim;
    const response = create(schema, await work(tx));
    await storeResponse(tx, use, 1n, sealResponse(deps, use, toBinary(schema, response)));
    await failpoint(failpointOf(call, 'before-commit'));
    return response as Message;
  });
  await failpoint(failpointOf(call, 'after-commit'));
  if (outcome === 'busy') return replayOrConflict(deps, schema, use, call);
  if (outcome === 'known') return replay(deps, schema, use, call);
  deps.metrics.increment('idempotency_outcomes_total', { outcome: 'first' });
  return outcome as MessageShape<Schema>;
}

/** Answers a repetition with the stored response, or says why it can't. */
export async function replay<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  use: KeyUse,
  call: Call,
): Promise<MessageShape<Schema>> {
  const stored = await findKey(deps.database, use);
  // Expired and purged between two statements, or its transaction was rolled back: the caller may simply repeat.
  if (stored === undefined) throw inProgress(deps, busyRetryAfterMs);
  requireSameRequest(deps, stored, use);
  if (stored.response === null) throw inProgress(deps, stored.leaseLeftMs);
  return openResponse(deps, schema, use, stored.response, call);
}

/** For a key that somebody works on right now, who may also only be repeating: the stored answer, or 409. */
export async function replayOrConflict<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  use: KeyUse,
  call: Call,
): Promise<MessageShape<Schema>> {
  const stored = await lookTogether(deps, use);
  if (stored === undefined) throw inProgress(deps, busyRetryAfterMs);
  requireSameRequest(deps, stored, use);
  if (stored.response === null) throw inProgress(deps, stored.leaseLeftMs);
  return openResponse(deps, schema, use, stored.response, call);
}

/** One look for all who ask at once. Who joins one that began too early is told to come back, which is true. */
function lookTogether({ database, keysInFlight: { looks } }: IdempotencyDeps, use: KeyUse) {
  const known = looks.get(use.lock);
  if (known !== undefined) return known;
  const look = findKey(database, use).finally(() => looks.delete(use.lock));
  looks.set(use.lock, look);
  return look;
}

/** For a request that would be refused by now: whether it is the repetition of one that was answered. */
export async function replayIfKnown<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  use: KeyUse,
  call: Call,
): Promise<MessageShape<Schema> | undefined> {
  const stored = await findKey(deps.database, use);
  if (stored === undefined) return undefined;
  requireSameRequest(deps, stored, use);
  return stored.response === null ? undefined : openResponse(deps, schema, use, stored.response, call);
}

/** A use case that talks to the provider between claiming its key and its transaction. */
export interface LeasedWork<Schema extends DescMessage, Outside> {
  /** Outside of any transaction; repeated by whoever takes over, so the provider must stand that. */
  readonly outside: (fence: bigint) => Promise<Outside>;
  readonly inside: (tx: Transaction, outside: Outside) => Promise<MessageInitShape<Schema>>;
}

/** The same promise for work that can't be one transaction: a lease with a fencing token stands for the running one. */
export async function runLeased<Schema extends DescMessage, Outside>(
  deps: IdempotencyDeps,
  schema: Schema,
  request: Message,
  call: Call,
  work: LeasedWork<Schema, Outside>,
): Promise<MessageShape<Schema>> {
  const use = keyUseOf(deps, request, call);
  if (use === undefined) {
    const outside = await work.outside(1n);
    return deps.database.transaction(actOf(call), async (tx) => create(schema, await work.inside(tx, outside)));
  }
  const fence = await claimLease(deps, use, call);
  if (fence === undefined) return replay(deps, schema, use, call);
  await failpoint(failpointOf(call, 'after-claim'));
  try {
    const outside = await work.outside(fence);
    const response = await deps.database.transaction(actOf(call), async (tx) => {
      const made = create(schema, await work.inside(tx, outside));
      const isOurs = await storeResponse(tx, use, fence, sealResponse(deps, use, toBinary(schema, made)));
      if (!isOurs) throw inProgress(deps, busyRetryAfterMs);
      await failpoint(failpointOf(call, 'before-commit'));
      return made;
    });
    await failpoint(failpointOf(call, 'after-commit'));
    return response;
  } catch (error) {
    await releaseKey(deps.database, use, fence);
    throw error;
  }
}

async function claimLease(deps: IdempotencyDeps, use: KeyUse, call: Call): Promise<bigint | undefined> {
  const leaseMs = deps.config.IDEMPOTENCY_LEASE_MS;
  return deps.database.transaction(actOf(call), async (tx) => {
    const claim = await claimKey(tx, use, leaseMs);
    if (claim === 'claimed') return 1n;
    if (claim === 'busy') throw inProgress(deps, busyRetryAfterMs);
    const stored = await findKey(tx, use);
    if (stored !== undefined) requireSameRequest(deps, stored, use);
    return takeOverKey(tx, use, leaseMs);
  });
}

function requireSameRequest(deps: IdempotencyDeps, stored: StoredKey, use: KeyUse): void {
  const requestHash = deps.cipher.openBytes(stored.sealedRequestHash, placeOf(use, 'request_hash'));
  if (equalConstantTime(requestHash, use.requestHash)) return;
  deps.metrics.increment('idempotency_outcomes_total', { outcome: 'reused' });
  throw commonErrors.IDEMPOTENCY_KEY_REUSED();
}

function inProgress(deps: IdempotencyDeps, retryAfterMs: number) {
  deps.metrics.increment('idempotency_outcomes_total', { outcome: 'in_progress' });
  return commonErrors.IDEMPOTENCY_IN_PROGRESS({ retryAfterMs: Math.max(retryAfterMs, 1) });
}

function placeOf(use: Pick<KeyUse, 'userId' | 'method' | 'keyHash'>, column: 'request_hash' | 'response') {
  const row = `${use.userId}/${use.method}/${use.keyHash.toString('hex')}`;
  return { table: 'idempotency_keys', column, row };
}

/** Stored answers hold what their first caller saw, so they are sealed like any personal data. */
export function sealResponse(deps: IdempotencyDeps, use: KeyUse, response: Uint8Array): Buffer {
  return deps.cipher.seal(response, placeOf(use, 'response'));
}

function openResponse<Schema extends DescMessage>(
  deps: IdempotencyDeps,
  schema: Schema,
  use: KeyUse,
  sealed: Buffer,
  call: Call,
): MessageShape<Schema> {
  deps.metrics.increment('idempotency_outcomes_total', { outcome: 'replayed' });
  call.responseHeader.set('idempotency-replayed', 'true');
  return fromBinary(schema, deps.cipher.openBytes(sealed, placeOf(use, 'response')));
}

/** payments.refund.before-commit: the method's name without the noun that all of them share. */
function failpointOf(call: Call, step: string): string {
  const name = call.method.name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return `payments.${name.replace(/^(create|cancel|refund|update)-payment$/, '$1')}.${step}`;
}
