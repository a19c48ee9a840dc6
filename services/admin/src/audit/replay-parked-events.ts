import { appendEvents } from './append-events.ts';
import { checkMessage } from './audit-event.ts';
import { type IngestDeps, parkedPurpose } from './ingest-events.ts';
import { listParkedEvents, markReplayed } from './parked-event-store.ts';

const batchSizeMax = 100;
const firstId = '00000000-0000-0000-0000-000000000000';

/**
 * Takes parked messages into the log that are events now, say after an update that knows their action. The others stay
 * parked. Applied exactly once: an id that the log has already is only marked.
 */
export async function replayParkedEvents(
  deps: Pick<IngestDeps, 'auditDatabase' | 'keystore' | 'keyring'>,
): Promise<{ replayed: number; left: number }> {
  const { auditDatabase, keyring } = deps;
  let after = firstId;
  let replayed = 0;
  let left = 0;
  for (;;) {
    const batch = await listParkedEvents(auditDatabase, batchSizeMax, after);
    if (batch.length === 0) return { replayed, left };
    const opened = batch.map((parked) => ({
      id: parked.id,
      ...checkMessage(parked.subject, keyring.open(parkedPurpose, parked.sealedPayload, parked.id)),
    }));
    const sound = opened.flatMap((found) => ('event' in found ? [found] : []));
    await appendEvents(
      deps,
      sound.map(({ event }) => event),
    );
    await markReplayed(
      auditDatabase,
      sound.map(({ id }) => id),
    );
    replayed += sound.length;
    left += batch.length - sound.length;
    after = batch.at(-1)?.id ?? after;
  }
}
