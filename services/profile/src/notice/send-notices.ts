import { fromBinary } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { type Notice, NoticeSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import {
  ack,
  type Bus,
  type BusMessage,
  type Consumption,
  consume,
  type Outcome,
  park,
} from '@strongroom/platform/bus';
import type { Database } from '@strongroom/platform/database';
import { type NoticeKey, openNotice } from '@strongroom/platform/outbox';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { MessagePort } from './message-port.ts';
import { beginAttempt, endNotice } from './notice-store.ts';
import { isTemplateName, renderTemplate } from './templates.ts';

const batchSizeMax = 20;
const deliveriesMax = 8;
const ackWaitMs = 60_000;

export interface NoticeSenderDeps {
  readonly database: Database;
  readonly bus: Bus;
  readonly noticeKey: NoticeKey;
  readonly port: MessagePort;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Sends notices as they come (B-notify). A notice is sent once, unless the process dies between sending and noting it. */
export function startNoticeSender(deps: NoticeSenderDeps): Consumption {
  const { bus, logger, metrics, database } = deps;
  return consume({
    bus,
    stream: 'NOTICES',
    durable: 'profile-notices',
    batchSizeMax,
    deliveriesMax,
    ackWaitMs,
    logger,
    metrics,
    async handle(messages) {
      const outcomes: Outcome[] = [];
      for (const message of messages) outcomes.push(await sendNotice(deps, message));
      return outcomes;
    },
    async onPark(message) {
      const notice = readNotice(message);
      if (notice !== undefined) await endNotice(database, notice.id, 'parked');
      metrics.increment('notices_total', { template: templateLabelOf(notice), outcome: 'parked' });
    },
  });
}

async function sendNotice(
  { database, noticeKey, port, logger, metrics }: NoticeSenderDeps,
  message: BusMessage,
): Promise<Outcome> {
  const notice = readNotice(message);
  if (notice === undefined) return park('undecodable');
  const { id, userId, template } = notice;
  if (!isTemplateName(template)) return park('unknown template');
  if (!(await beginAttempt(database, { id, userId, template }))) return ack;
  if (hasExpired(notice)) {
    await endNotice(database, id, 'expired');
    metrics.increment('notices_total', { template, outcome: 'expired' });
    return ack;
  }
  const { email, values } = openNotice(noticeKey, notice);
  await port.send({ id, to: email, ...renderTemplate(template, values) });
  await endNotice(database, id, 'sent');
  metrics.increment('notices_total', { template, outcome: 'sent' });
  logger.info({ noticeId: id, template, port: port.name }, 'notice sent');
  return ack;
}

/** What came over the bus becomes a label only where it is a name that we know. */
function templateLabelOf(notice: Notice | undefined): string {
  return notice !== undefined && isTemplateName(notice.template) ? notice.template : 'unknown';
}

function hasExpired({ expireTime }: Notice): boolean {
  return expireTime !== undefined && timestampDate(expireTime).getTime() <= Date.now();
}

function readNotice({ data }: BusMessage): Notice | undefined {
  try {
    const notice = fromBinary(NoticeSchema, data);
    return notice.id === '' ? undefined : notice;
  } catch {
    return undefined; // Poison: parked by the caller.
  }
}
