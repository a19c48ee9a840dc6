import type { Bus } from '../bus/bus.ts';
import type { Act } from '../database/act.ts';
import { eventRow, type NewEvent } from './append.ts';
import { toMessage } from './message.ts';

/**
 * An event past the outbox, for what is told while the database is away (S5.3). Throws UNAVAILABLE unless JetStream has
 * taken it: that outlives every process, though not a power cut at once, so it is no way for anything that can wait.
 */
export async function publishEvent(
  bus: Pick<Bus, 'publish'>,
  source: string,
  act: Act,
  event: NewEvent,
): Promise<void> {
  const { eventId, kind, name, payload, traceparent } = eventRow(act, event);
  const row = { order_id: 0n, event_id: eventId, kind, name, payload: Buffer.from(payload), record: null, traceparent };
  const message = toMessage({ ...row, created_at: new Date().toISOString(), round: 0 }, source);
  await bus.publish(message.subject, message.bytes, message);
}
