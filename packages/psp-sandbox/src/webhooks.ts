import type { Logger } from 'pino';
import { Webhook } from 'standardwebhooks';
import type { WebhookEvent } from './model.ts';
import type { Store } from './store.ts';

const attemptTimeoutMs = 5_000;
const retryDelaysMs = [200, 500, 1_000, 2_000, 5_000, 10_000, 30_000];
const jitter = 0.1;
const parallelMax = 32;

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_<base64>` */
  readonly secret: string;
}

export interface WebhookSender {
  /** Resolves when the first attempt has been made, whatever came of it; retries go on by themselves. */
  send(event: WebhookEvent, copies?: number): Promise<void>;
  close(): Promise<void>;
}

/** Signs and delivers events by Standard Webhooks, with retries. */
export function createWebhookSender(target: WebhookTarget | undefined, store: Store, logger: Logger): WebhookSender {
  const timers = new Set<NodeJS.Timeout>();
  const closing = new AbortController();
  const slots = createSlots(parallelMax);

  async function post(event: WebhookEvent, { url, secret }: WebhookTarget): Promise<number> {
    const now = new Date();
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'strongroom-psp-sandbox/1',
        'webhook-id': event.eventId,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(event.eventId, now, event.body),
      },
      body: event.body,
      signal: AbortSignal.any([AbortSignal.timeout(attemptTimeoutMs), closing.signal]),
    });
    await response.body?.cancel();
    return response.status;
  }

  async function attempt(event: WebhookEvent, to: WebhookTarget, copies: number): Promise<void> {
    event.attempts += 1;
    const release = await slots.take();
    const results = await Promise.allSettled(Array.from({ length: copies }, () => post(event, to))).finally(release);
    if (closing.signal.aborted) return;
    const statuses = results.map((result) => (result.status === 'fulfilled' ? result.value : 0));
    event.lastStatus = Math.max(...statuses);
    event.delivered = statuses.some((status) => status >= 200 && status < 300);
    const delayMs = retryDelaysMs[event.attempts - 1];
    if (event.delivered || delayMs === undefined) {
      event.givenUp = !event.delivered;
      logger.info(
        { eventId: event.eventId, type: event.type, attempts: event.attempts, status: event.lastStatus },
        event.delivered ? 'webhook delivered' : 'webhook given up',
      );
      await store.noteDelivery(event);
      return;
    }
    logger.warn({ eventId: event.eventId, status: event.lastStatus, delayMs }, 'webhook not taken, trying again');
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        attempt(event, to, 1).catch((error: Error) => logger.error({ err: error }, 'webhook delivery broke'));
      },
      delayMs * (1 - jitter + 2 * jitter * Math.random()),
    );
    timers.add(timer);
  }

  return {
    async send(event, copies = 1) {
      if (target !== undefined && !closing.signal.aborted) await attempt(event, target, copies);
    },
    async close() {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

/** At most so many at once; the rest wait their turn. */
function createSlots(max: number): { take(): Promise<() => void> } {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const release = () => {
    taken -= 1;
    waiting.shift()?.();
  };
  return {
    async take() {
      while (taken >= max) await new Promise<void>((resolve) => waiting.push(resolve));
      taken += 1;
      return release;
    },
  };
}
