import type { Bus } from '../bus/bus.ts';
import { payloadBytesMax } from '../bus/streams.ts';
import { type Act, serviceAct } from '../database/act.ts';
import type { Database } from '../database/types.ts';
import { failpoint } from '../process/failpoint.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type OutgoingMessage, type StoredRow, toMessage } from './message.ts';
import { claimUnpublished, markParked, markPublished, markRefused } from './outbox-store.ts';

const batchSizeMax = 400;
const inFlightMax = 100;
/** Finds what other processes or psql wrote; what is written here wakes the relay at once. */
const pollMs = 250;
/** Gathers what is written together into a batch. */
const gatherMs = 3;
/** F6: a bus that refuses is asked at most once a second. */
const backoffFirstMs = 1_000;
const backoffMaxMs = 10_000;

export interface RelayOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
}

export interface Relay {
  wake(): void;
  start(): void;
  stop(): Promise<void>;
}

type BatchResult = { readonly taken: number; readonly refused: number };

/**
 * Publishes what the outbox holds. Not woken by NOTIFY: a transaction that notifies holds a lock over the whole database
 * while it commits, so that payments commit one after the other (16 clients here: 1700–1900 commits a second without,
 * 280–450 with it). The process that writes has a relay of its own, which a function call wakes after the commit; what
 * others write is found by the poll.
 */
export function createRelay({ database, bus, logger, metrics }: RelayOptions): Relay {
  const act = serviceAct(database.name);
  let isStopping = false;
  let isWoken = false;
  let backoffMs = 0;
  let wakeUp: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();

  function pause(ms: number, isWakeable: boolean): Promise<void> {
    if (isStopping || (isWakeable && isWoken)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        if (!isWakeable && !isStopping) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function loop(): Promise<void> {
    while (!isStopping) {
      isWoken = false;
      const result = await relayBatch(act, { database, bus, logger, metrics });
      if (result === undefined || result.refused > 0) {
        backoffMs = Math.min(backoffMaxMs, Math.max(backoffFirstMs, backoffMs * 2));
        // A stream that is gone is the likeliest reason.
        await bus.ensureStreams().catch(() => undefined);
        await pause(bus.state().isConnected ? backoffMs : backoffFirstMs, false);
        continue;
      }
      backoffMs = 0;
      if (result.taken >= batchSizeMax) continue;
      await pause(pollMs, true);
      await pause(gatherMs, false);
    }
  }

  return {
    wake() {
      isWoken = true;
      wakeUp?.();
    },
    start() {
      running = loop();
    },
    async stop() {
      isStopping = true;
      wakeUp?.();
      await running;
    },
  };
}

/** Undefined when the batch could not even be tried. */
async function relayBatch(act: Act, options: RelayOptions): Promise<BatchResult | undefined> {
  const { database, bus, logger, metrics } = options;
  const { isConnected, hasStreams } = bus.state();
  if (!isConnected || !hasStreams) return undefined;
  const source = { source: database.name };
  try {
    // The transaction holds the relay's lock while the bus answers. A process that is stopped meanwhile loses it to
    // idle_in_transaction_session_timeout, and another takes over (F34).
    return await database.transaction(
      act,
      async (tx) => {
        const rows = await claimUnpublished(tx.sql, batchSizeMax);
        if (rows.length === 0) return { taken: 0, refused: 0 };
        const { sendable, unsendable } = toMessages(rows, database.name, logger);
        if (unsendable.length > 0) await markParked(tx.sql, ids(unsendable));
        const { published, refused } = await publishAll(sendable, bus, logger);
        await failpoint('outbox.relay.published');
        if (published.length > 0) await markPublished(tx.sql, ids(published));
        if (refused.length > 0) await markRefused(tx.sql, ids(refused));
        for (const { kind } of published) metrics?.increment('outbox_published_total', { ...source, kind });
        metrics?.add('outbox_publish_failures_total', refused.length, source);
        return { taken: rows.length, refused: refused.length };
      },
      { isQuiet: true },
    );
  } catch (error) {
    logger.warn({ err: error }, 'the outbox could not be relayed');
    return undefined;
  }
}

interface Sendable {
  readonly row: StoredRow;
  readonly message: OutgoingMessage;
}

/** What can't be sent at any time, whatever the bus says, must not stand in the way of the rest (F29). */
function toMessages(
  rows: readonly StoredRow[],
  source: string,
  logger: Logger,
): { sendable: Sendable[]; unsendable: StoredRow[] } {
  const sendable: Sendable[] = [];
  const unsendable: StoredRow[] = [];
  for (const row of rows) {
    try {
      const message = toMessage(row, source);
      if (message.bytes.length > payloadBytesMax) throw new RangeError(`more than ${payloadBytesMax} bytes`);
      sendable.push({ row, message });
    } catch (error) {
      logger.error({ err: error, eventId: row.event_id, kind: row.kind }, 'a row of the outbox was parked');
      unsendable.push(row);
    }
  }
  return { sendable, unsendable };
}

interface PublishResult {
  readonly published: StoredRow[];
  readonly refused: StoredRow[];
}

async function publishAll(sendable: readonly Sendable[], bus: Bus, logger: Logger): Promise<PublishResult> {
  const published: StoredRow[] = [];
  const refused: StoredRow[] = [];
  for (let start = 0; start < sendable.length && refused.length === 0; start += inFlightMax) {
    const group = sendable.slice(start, start + inFlightMax);
    const answers = await Promise.allSettled(
      group.map(({ message: { subject, bytes, ...options } }) => bus.publish(subject, bytes, options)),
    );
    for (const [index, answer] of answers.entries()) {
      const row = group[index]?.row;
      if (row !== undefined) (answer.status === 'fulfilled' ? published : refused).push(row);
    }
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure !== undefined) logger.warn({ err: failure.reason, rows: refused.length }, 'the bus refused events');
  }
  return { published, refused };
}

function ids(rows: readonly StoredRow[]): bigint[] {
  return rows.map((row) => row.order_id);
}
