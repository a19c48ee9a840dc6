import {
  ack,
  type Bus,
  type BusMessage,
  type Consumption,
  consume,
  type Outcome,
  park,
} from '@strongroom/platform/bus';
import { type Keyring, sha256, uuidv7 } from '@strongroom/platform/crypto';
import { failpoint } from '@strongroom/platform/process';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { appendEvents, type LogDeps } from './append-events.ts';
import { checkMessage } from './audit-event.ts';
import { beginEventCounts, countEvent, countParked } from './event-counts.ts';
import type { LogTail } from './log-tail.ts';
import { countParkedEvents, insertParkedEvent } from './parked-event-store.ts';

/** measured.md: 100 to 500 records a statement are fastest. */
const batchSizeMax = 500;
export const auditDurable = 'audit-log';
export const parkedPurpose = 'audit-parked';
const msPerS = 1_000;

export interface IngestDeps extends LogDeps {
  readonly keyring: Pick<Keyring, 'seal' | 'open'>;
  readonly logTail: LogTail;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Takes events into the log until stopped. Several processes may: the writer's lock orders them, event ids dedupe. */
export function ingestEvents(deps: IngestDeps, bus: Bus): Consumption {
  const { logger, metrics } = deps;
  beginEventCounts(metrics);
  return consume({
    bus,
    stream: 'EVENTS',
    durable: auditDurable,
    batchSizeMax,
    handle: (messages) => takeMessages(deps, messages),
    onPark: (message, reason) => parkMessage(deps, message, reason),
    logger,
    metrics,
  });
}

/**
 * One batch in one transaction; only after its commit anything is acknowledged. A crash anywhere means that the batch
 * comes again and finds its event ids taken (F28, F35). What is no event is parked and holds nobody up (F29).
 */
export async function takeMessages(deps: IngestDeps, messages: readonly BusMessage[]): Promise<Outcome[]> {
  const { logTail, metrics } = deps;
  const checked = messages.map((message) => checkMessage(message.subject, message.data));
  const events = checked.flatMap((found) => ('event' in found ? [found.event] : []));
  if (events.length > 0) {
    const { firstSequence, appended } = await appendEvents(deps, events);
    await failpoint('admin.ingest.after-commit');
    const size = firstSequence + appended.length;
    logTail.announce(size);
    metrics.observe('audit_ingest_batch_size', events.length);
    metrics.set('audit_log_size', size);
    for (const event of appended) countEvent(metrics, event);
    const newest = appended.at(-1)?.occurTime;
    if (newest) metrics.set('audit_lag_seconds', Math.max(0, Date.now() / msPerS - Number(newest.seconds)));
  }
  return checked.map((found) => ('event' in found ? ack : park(found.reason)));
}

/** Kept whole, sealed, before the stream forgets it: `replay-parked` takes it in once whatever was wrong is put right. */
async function parkMessage(deps: IngestDeps, message: BusMessage, reason: string): Promise<void> {
  const { auditDatabase, keyring, metrics } = deps;
  const id = uuidv7();
  const parked = await insertParkedEvent(auditDatabase, {
    id,
    digest: sha256(Buffer.concat([Buffer.from(`${message.subject}\n`), message.data])),
    messageId: message.messageId,
    subject: message.subject,
    sealedPayload: keyring.seal(parkedPurpose, message.data, id),
    reason,
  });
  if (parked > 0) countParked(metrics, reason);
  metrics.set('audit_parked_events', await countParkedEvents(auditDatabase));
}
