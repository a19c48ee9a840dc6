import { type Act, serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { Webhook } from 'standardwebhooks';
import { request } from 'undici';
import type { Deps } from '../deps.ts';
import {
  type ClaimedDelivery,
  type DeliveryOutcome,
  failPendingDeliveries,
  writeDeliveryOutcome,
} from './webhook-delivery-store.ts';
import { retryDelayMs } from './webhook-endpoint.ts';
import { disableEndpoint, noteEndpointOutcome, secretPlace } from './webhook-endpoint-store.ts';
import { TargetRefusedError } from './webhook-target.ts';

export type DeliverDeps = Pick<
  Deps,
  'config' | 'database' | 'cipher' | 'webhookTargets' | 'logger' | 'metrics' | 'now'
>;

const deliverAct: Act = serviceAct('payments');
const gone = 410;
/** Off after five days in which nothing arrived. */
const failingMaxS = 432_000;
const responseBytesRead = 1_024;
const errorLengthMax = 200;

/** One attempt: signed anew with a fresh time, and its outcome written by who still holds the delivery. */
export async function deliver(deps: DeliverDeps, delivery: ClaimedDelivery): Promise<void> {
  const answer = await send(deps, delivery);
  await failpoint('payments.delivery.after-send');
  const isDelivered = answer.statusCode >= 200 && answer.statusCode < 300;
  const isOver = answer.statusCode === gone || delivery.attemptCount >= deps.config.WEBHOOK_ATTEMPTS_MAX;
  const state = isDelivered ? 'delivered' : isOver ? 'failed' : 'pending';
  const retryInMs =
    state === 'pending' ? retryDelayMs(delivery.attemptCount, deps.config.WEBHOOK_RETRY_FIRST_MS) : null;
  const outcome: DeliveryOutcome = { state, ...answer, retryInMs };
  deps.metrics.increment('webhook_deliveries_total', { outcome: state });
  await deps.database.transaction(deliverAct, async (tx) => {
    if (!(await writeDeliveryOutcome(tx, delivery, outcome))) return;
    const failingS = await noteEndpointOutcome(tx, delivery.endpointId, isDelivered);
    if (answer.statusCode !== gone && failingS < failingMaxS) return;
    if (!(await disableEndpoint(tx, delivery.endpointId))) return;
    await failPendingDeliveries(tx, delivery.endpointId, 'the endpoint is off');
    await appendEvent(tx, deliverAct, {
      action: 'SYSTEM_CONFIG_CHANGED',
      resourceType: 'system_config',
      resourceId: delivery.endpointId,
      details: { what: 'webhook endpoint turned off', statusCode: String(answer.statusCode) },
    });
  });
}

type Answer = Pick<DeliveryOutcome, 'statusCode' | 'error'>;

async function send(deps: DeliverDeps, delivery: ClaimedDelivery): Promise<Answer> {
  try {
    // undici follows no redirect by itself: a 3xx is an answer that isn't 2xx, and its Location is never looked at.
    const response = await request(delivery.url, {
      method: 'POST',
      dispatcher: deps.webhookTargets.dispatcher,
      headers: { 'content-type': 'application/json', 'user-agent': 'Strongroom-Webhooks/1', ...sign(deps, delivery) },
      body: delivery.body,
      signal: AbortSignal.timeout(deps.config.WEBHOOK_TIMEOUT_MS),
    });
    await response.body.dump({ limit: responseBytesRead });
    const isGood = response.statusCode >= 200 && response.statusCode < 300;
    return { statusCode: response.statusCode, error: isGood ? '' : `answered with ${response.statusCode}` };
  } catch (error) {
    deps.logger.info({ err: error, deliveryId: delivery.id }, 'a webhook did not arrive');
    return { statusCode: 0, error: describe(error) };
  }
}

/** Standard Webhooks: one signature for each secret that counts, separated by a space. */
function sign({ cipher, now }: DeliverDeps, delivery: ClaimedDelivery): Record<string, string> {
  const time = new Date(now());
  const secrets = [cipher.open(delivery.secret, secretPlace(delivery.endpointId))];
  if (delivery.previousSecret !== null) {
    secrets.push(cipher.open(delivery.previousSecret, secretPlace(delivery.endpointId, 'previous_secret')));
  }
  return {
    'webhook-id': delivery.id,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(delivery.id, time, delivery.body)).join(' '),
  };
}

/** In words that tell the merchant what to look at, and nothing about our network. */
function describe(error: unknown): string {
  if (error instanceof TargetRefusedError || (error as Error).cause instanceof TargetRefusedError) {
    return 'the address is not allowed';
  }
  const { name, code } = error as { name?: string; code?: string };
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return 'no answer in time';
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name does not resolve';
  return `no connection${code === undefined ? '' : ` (${code})`}`.slice(0, errorLengthMax);
}
