import { once } from 'node:events';
import type { AuditEvent } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { createSalt } from '@strongroom/tlog';
import { createLogFixture, type LogFixture, makeEvent } from '../../services/admin/test/log-fixture.ts';
import { withEngines } from '../engines.ts';
import { median } from '../measure.ts';

const batchRows = 500;
const batchesARound = 20;
const rounds = 5;
const actorCount = 200;

/**
 * Rows a second that the log takes in, sealed, hashed, each event once, against COPY of finished rows into the same table
 * with the same indexes, both in transactions of 500 rows (B-log).
 */
export function runIngestion(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const [log, plain] = [await createLogFixture(), await createLogFixture()];
    try {
      await plain.superuser`select ensure_audit_partitions(clock_timestamp())`;
      const rates: { log: number; copy: number }[] = [];
      // The first round warms both up.
      for (let round = 0; round <= rounds; round += 1) {
        const batches = makeBatches();
        const own = await rateOf(batches, (batch) => log.append(batch));
        const copies = batches.map((batch, at) => copyText(batch, (round * batchesARound + at) * batchRows));
        const copy = await rateOf(copies, (text) => copyRows(plain, text));
        if (round > 0) rates.push({ log: own, copy });
      }
      return {
        log_rows_per_second: median(rates.map((rate) => rate.log)),
        copy_rows_per_second: median(rates.map((rate) => rate.copy)),
        log_to_copy_ratio: median(rates.map((rate) => rate.log / rate.copy)),
      };
    } finally {
      await log.close();
      await plain.close();
    }
  });
}

function makeBatches(): AuditEvent[][] {
  const actors = Array.from({ length: actorCount }, () => uuidv7());
  return Array.from({ length: batchesARound }, () =>
    Array.from({ length: batchRows }, (_, at) => makeEvent({ actorId: actors[at % actorCount] as string })),
  );
}

async function rateOf<T>(batches: readonly T[], write: (batch: T) => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  for (const batch of batches) await write(batch);
  return (batchRows * batchesARound) / ((performance.now() - startMs) / 1000);
}

async function copyRows({ superuser }: LogFixture, text: string): Promise<void> {
  const stream = await superuser`
    copy audit_record (sequence, retention_class, event_id, action, resource_type, resource_id, actor_id, actor_kind,
      actor_name, subject_id, device_id, trace_id, request_id, occur_time, record_time, details, source, actor_sealed, salt)
    from stdin`.writable();
  stream.end(text);
  await once(stream, 'finish');
}

/** Rows as the log would store them, in COPY's text format. */
function copyText(events: readonly AuditEvent[], firstSequence: number): string {
  const time = new Date().toISOString();
  const lines = events.map((event, at) =>
    [
      firstSequence + at,
      'money',
      event.id,
      event.action,
      event.resourceType,
      event.resourceId,
      event.actorId,
      event.actorKind,
      event.actorName,
      '\\N',
      event.deviceId,
      event.traceId,
      event.requestId,
      time,
      time,
      JSON.stringify(event.details),
      event.source,
      // As long as the sealed address and user agent are.
      `\\\\x${Buffer.alloc(76, at).toString('hex')}`,
      `\\\\x${createSalt().toString('hex')}`,
    ].join('\t'),
  );
  return `${lines.join('\n')}\n`;
}
