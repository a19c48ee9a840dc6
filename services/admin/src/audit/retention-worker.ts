import { setTimeout as delay } from 'node:timers/promises';
import { type Database, type Queryable, serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Logger } from '@strongroom/platform/telemetry';
import { lockKeystore } from '../erasure/erasure-store.ts';
import type { PersonKeystore } from '../erasure/person-keystore.ts';
import { listHeldPersons } from '../hold/hold-store.ts';
import { lockLog, raiseMinimumIndex } from './log-store.ts';

export interface RetentionDeps {
  readonly auditDatabase: Database;
  readonly database: Database;
  readonly logger: Logger;
}

export interface KeystoreDeps {
  readonly database: Database;
  readonly keystore: PersonKeystore;
}

export interface PrunedPartition {
  readonly retentionClass: string;
  readonly lastSequence: number;
  readonly recordCount: number;
}

/**
 * Drops one partition that is wholly past its class's retention, and raises the minimum index that every later checkpoint
 * signs: below it a record may be missing, above it a missing record is a loss. Leaves, entries and tiles stay, so every
 * proof goes on to verify. The prune is itself a record of the log.
 */
export async function prunePartition({ auditDatabase, database }: RetentionDeps): Promise<PrunedPartition | undefined> {
  const act = serviceAct('admin');
  const held = await listHeldPersons(database);
  const pruned = await auditDatabase.transaction(act, async (tx) => {
    await lockLog(tx);
    const found = await dropOldest(tx, held);
    if (found) await raiseMinimumIndex(tx, found.lastSequence + 1);
    return found;
  });
  if (!pruned) return undefined;
  await appendEvent(database, act, {
    action: 'DATA_ERASED',
    resourceType: 'audit_log',
    resourceId: pruned.retentionClass,
    details: {
      what: 'records past their retention',
      lastSequence: String(pruned.lastSequence),
      records: String(pruned.recordCount),
    },
  });
  return pruned;
}

async function dropOldest({ sql }: Queryable, held: readonly string[]): Promise<PrunedPartition | undefined> {
  const [row] = await sql`
    select retention_class, coalesce(last_sequence, -1)::text as last_sequence, record_count::text as record_count
    from prune_audit_partition(${[...held]}::uuid[])`;
  return (
    row && {
      retentionClass: String(row['retention_class']),
      lastSequence: Number(row['last_sequence']),
      recordCount: Number(row['record_count']),
    }
  );
}

/**
 * After a rotation of the master key the keystore's files are sealed under the new one (F32). Erasures come in between. A
 * pass takes each file once: while instances with the older key still run, their passes and ours undo each other, and
 * "until none is left" would have no end.
 */
export async function resealKeystore({ database, keystore }: KeystoreDeps): Promise<number> {
  const stale = await keystore.listStaleFiles();
  for (const name of stale) {
    await database.transaction(serviceAct('admin'), async (tx) => {
      await lockKeystore(tx);
      await keystore.reseal(name);
    });
  }
  return stale.length;
}

/** Looks now and then; goes on at once as long as there is something to prune. */
export function startRetention(deps: RetentionDeps & KeystoreDeps, intervalMs: number): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await resealKeystore(deps).catch((error: unknown) => {
        deps.logger.error({ err: error }, 'the keystore could not be sealed again');
      });
      const pruned = await prunePartition(deps).catch((error: unknown) => {
        deps.logger.error({ err: error }, 'retention could not be applied');
        return undefined;
      });
      if (pruned) {
        deps.logger.info({ ...pruned }, 'a partition past its retention was dropped');
        continue;
      }
      await delay(intervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const done = run();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
