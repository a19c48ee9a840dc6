import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '@strongroom/platform/crypto';
import type { Database, Transaction } from '@strongroom/platform/database';
import type { Logger } from '@strongroom/platform/telemetry';
import type { Redis } from 'ioredis';
import { accessTokenLifeS } from '../secret/access-token.ts';
import {
  insertRevocations,
  leaseMarker,
  listLiveRevocations,
  listPendingRevocations,
  markerWaitMs,
  markRevocationsApplied,
  type Revocation,
  type RevocationKind,
} from './revocation-store.ts';

/**
 * The deny keys in Redis that every service looks at (S1.2c). The rows in Postgres are the truth, written in the
 * transaction that revokes; Redis gets them after the commit. The marker says that Redis knows every row; while it
 * doesn't stand, services ask CheckRevocation. It is a lease, and its end stands in Postgres before it is taken: an auth
 * that can't reach Redis waits, before it acknowledges a revocation, until another instance has told Redis or the marker
 * must be gone. So the very next call is refused, whoever has lost whom (F7).
 */
export interface Denylist {
  record(tx: Transaction, entries: readonly DenyEntry[]): Promise<Revocation[]>;
  /** After the commit, before the answer. Returns when no service takes the tokens any more; waits DENY_MARKER_LEASE_MS at most. */
  apply(revocations: readonly Revocation[]): Promise<void>;
  /** Brings Redis up to date once and renews the marker; what the timer does. */
  renew(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface DenyEntry {
  readonly kind: RevocationKind;
  readonly subject: string;
}

export interface DenylistOptions {
  readonly database: Database;
  readonly redis: Redis;
  readonly logger: Logger;
  readonly leaseMs: number;
}

/** Verifiers allow 30 s of clock skew (F14); twice that on top of a token's life. */
const entryAliveS = accessTokenLifeS + 60;
const renewEveryMs = 1_000;
const batchMax = 500;
/** How often an auth without Redis looks whether another instance has told Redis. */
const lookEveryMs = 200;
const firstId = '00000000-0000-0000-0000-000000000000';
export const readyMarkerKey = 'deny:ready';

function denyKey({ kind, subject }: DenyEntry): string {
  return `deny:${kind}:${subject}`;
}

export function createDenylist({ database, redis, logger, leaseMs }: DenylistOptions): Denylist {
  const epoch = uuidv7();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  // A new connection may be to a Redis that restarted or was failed over: its marker proves nothing.
  let mustSeed = true;
  redis.on('ready', () => {
    mustSeed = true;
  });

  async function write(revocations: readonly Revocation[]): Promise<void> {
    if (revocations.length === 0) return;
    const pipeline = redis.pipeline();
    for (const entry of revocations) {
      pipeline.set(denyKey(entry), String(entry.notBeforeMs), 'PX', Math.max(1, entry.aliveMs));
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  }

  async function seed(): Promise<void> {
    let afterId = firstId;
    for (;;) {
      const batch = await listLiveRevocations(database, afterId, batchMax);
      await write(batch);
      const last = batch.at(-1);
      if (last === undefined || batch.length < batchMax) return;
      afterId = last.id;
    }
  }

  async function renew(): Promise<void> {
    // Without Redis nothing is leased: what waits for the end of the lease would wait for ever.
    const isMissing = (await redis.exists(readyMarkerKey)) === 0;
    const startMs = performance.now();
    await leaseMarker(database, leaseMs);
    // Whatever commits after this is written by its own apply, or waits for the lease just taken.
    const pending = await listPendingRevocations(database, batchMax);
    const wasSeeding = mustSeed || isMissing;
    if (wasSeeding) {
      mustSeed = false;
      try {
        await seed();
      } catch (error) {
        mustSeed = true;
        throw error;
      }
    } else {
      await write(pending);
    }
    if (pending.length > 0)
      await markRevocationsApplied(
        database,
        pending.map(({ id }) => id),
      );
    const isWhole = wasSeeding || pending.length < batchMax;
    const leftMs = Math.floor(leaseMs - (performance.now() - startMs));
    if (isWhole && leftMs > 0) await redis.set(readyMarkerKey, epoch, 'PX', leftMs);
  }

  async function outlastMarker(ids: readonly string[]): Promise<void> {
    for (;;) {
      const waitMs = await markerWaitMs(database, ids);
      if (waitMs === 0) return;
      await delay(Math.min(waitMs, lookEveryMs));
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      running = renew()
        .catch((error: unknown) => logger.warn({ err: error }, 'the deny keys could not be renewed'))
        .finally(() => {
          if (!isStopped) schedule();
        });
    }, renewEveryMs);
    timer.unref();
  }

  return {
    record: (tx, entries) =>
      entries.length === 0
        ? Promise.resolve([])
        : insertRevocations(
            tx,
            entries.map((entry) => ({ id: uuidv7(), ...entry })),
            entryAliveS,
          ),
    async apply(revocations) {
      try {
        await write(revocations);
      } catch (error) {
        logger.warn({ err: error }, 'Redis did not take a revocation; it counts once services ask auth instead');
        await outlastMarker(revocations.map(({ id }) => id));
      }
    },
    renew,
    async start() {
      await renew().catch((error: unknown) => logger.warn({ err: error }, 'Redis is not there yet'));
      schedule();
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
