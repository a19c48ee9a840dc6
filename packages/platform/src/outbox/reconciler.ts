import { setTimeout as delay } from 'node:timers/promises';
import type { Bus, StreamState } from '../bus/bus.ts';
import { serviceAct } from '../database/act.ts';
import type { Database } from '../database/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { appendEvent } from './append.ts';
import {
  deleteConfirmed,
  deleteExpiredNotices,
  deleteOldNotices,
  listPublished,
  markForRepublication,
  type PublishedEvent,
  readState,
  republishBefore,
} from './outbox-store.ts';

/** ConfirmEventsRequest takes no more. */
const confirmIdsMax = 500;
const pagesMax = 40;
const intervalMsDefault = 1_000;
const minAgeMsDefault = 1_000;
const graceMsDefault = 15_000;
/** nats-server writes to disk every two minutes (faults.md): a notice is kept for longer than that. */
const noticeKeepMs = 300_000;

export interface ReconcilerOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
  /** Which of the events the audit database holds: admin.ConfirmEvents. */
  readonly confirm: (eventIds: readonly string[]) => Promise<readonly string[]>;
  readonly wakeRelay: () => void;
  readonly intervalMs?: number;
  /** How old a published row is before its event is asked for. */
  readonly minAgeMs?: number;
  /** How old a published row is before a missing event is sent again. */
  readonly graceMs?: number;
}

export interface Reconciler {
  start(): void;
  stop(): Promise<void>;
  /** One round, for tests and for a process that closes. */
  reconcile(): Promise<void>;
}

/**
 * Lets a row go only when the audit database itself holds its event, and sends again what it misses: JetStream
 * acknowledges before it writes, so its word isn't enough (B-outbox).
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { database, logger, bus, intervalMs = intervalMsDefault } = options;
  const stopping = new AbortController();
  const knownStreams = new Map<string, number>();
  let running: Promise<void> = Promise.resolve();

  async function reconcile(): Promise<void> {
    try {
      for (const stream of bus.streams()) await checkStream(options, stream, knownStreams);
      await confirmPublished(options);
      await deleteOldNotices(database.sql, noticeKeepMs);
      await deleteExpiredNotices(database.sql);
    } finally {
      // Most of all while the audit database can't be asked: then rows grow old, and an alert waits for it.
      await measure(options);
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await reconcile().catch((error: unknown) => logger.warn({ err: error }, 'the outbox could not be reconciled'));
      // Jitter keeps several instances from asking all at once.
      const pauseMs = intervalMs * (0.75 + Math.random() / 2);
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  return {
    reconcile,
    start() {
      running = loop();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** A stream made after a row was published can't hold it: what was lost with the old one is sent again, and told (F5). */
async function checkStream(options: ReconcilerOptions, stream: StreamState, known: Map<string, number>): Promise<void> {
  const createTimeMs = stream.createTime.getTime();
  if (known.get(stream.name) === createTimeMs) return;
  const { database, logger, metrics, wakeRelay } = options;
  const kind = stream.name === 'EVENTS' ? 'event' : 'notice';
  const rows = await republishBefore(database.sql, kind, stream.createTime);
  known.set(stream.name, createTimeMs);
  if (rows === 0) return;
  metrics?.add('outbox_republished_total', rows, { source: database.name });
  logger.error({ stream: stream.name, rows }, 'the bus lost a stream: its rows are sent again');
  await appendEvent(database, serviceAct(database.name), {
    action: 'ANOMALY_DETECTED',
    resourceType: 'audit_log',
    resourceId: stream.name,
    details: { rule: 'TRANSPORT_LOSS', stream: stream.name, rows: String(rows) },
  });
  wakeRelay();
}

async function confirmPublished(options: ReconcilerOptions): Promise<void> {
  const { database, minAgeMs = minAgeMsDefault, graceMs = graceMsDefault } = options;
  let afterOrderId = 0n;
  for (let page = 0; page < pagesMax; page += 1) {
    const rows = await listPublished(database.sql, { afterOrderId, minAgeMs, graceMs, limit: confirmIdsMax });
    if (rows.length > 0) await confirmPage(options, rows);
    if (rows.length < confirmIdsMax) return;
    afterOrderId = rows.at(-1)?.order_id ?? afterOrderId;
  }
}

async function confirmPage(options: ReconcilerOptions, rows: readonly PublishedEvent[]): Promise<void> {
  const { database, logger, metrics, confirm, wakeRelay } = options;
  const source = { source: database.name };
  const stored = new Set(await confirm(rows.map((row) => row.event_id)));
  const confirmed = rows.filter((row) => stored.has(row.event_id));
  if (confirmed.length > 0) {
    const deleted = await deleteConfirmed(
      database.sql,
      confirmed.map((row) => row.order_id),
    );
    metrics?.add('outbox_confirmed_total', deleted, source);
  }
  const missing = rows.filter((row) => row.is_overdue && !stored.has(row.event_id));
  if (missing.length === 0) return;
  const count = await markForRepublication(database.sql, missing);
  if (count === 0) return;
  metrics?.add('outbox_republished_total', count, source);
  logger.warn({ rows: count }, 'the audit database misses events: they are sent again');
  wakeRelay();
}

async function measure({ database, metrics }: ReconcilerOptions): Promise<void> {
  if (metrics === undefined) return;
  const state = await readState(database.sql);
  const source = { source: database.name };
  metrics.set('outbox_pending', state.pending, source);
  metrics.set('outbox_unconfirmed', state.unconfirmed, source);
  metrics.set('outbox_oldest_age_seconds', state.oldestAgeS, source);
}
