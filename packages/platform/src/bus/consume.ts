import { setTimeout as delay } from 'node:timers/promises';
import { ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { AckPolicy, ConsumerEvents, type ConsumerMessages, DeliverPolicy, type JsMsg, nanos } from 'nats';
import { isServiceError } from '../errors/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { traceContext } from '../telemetry/trace.ts';
import type { Bus, StreamName } from './bus.ts';

const deliveriesMaxDefault = 5;
const ackWaitMsDefault = 30_000;
const pullExpiryMs = 10_000;
const restartDelayMs = 500;
const outageDelayMs = 1_000;
const retryDelayFirstMs = 200;
const retryDelayMaxMs = 10_000;
const spansMax = 50;
const batchesUnacked = 2;

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly messageId: string;
  /** 1 at the first delivery. */
  readonly deliveryCount: number;
  readonly streamSequence: number;
  readonly headers: Readonly<Record<string, string>>;
}

export type Outcome =
  | { readonly kind: 'ack' }
  | { readonly kind: 'retry'; readonly delayMs: number | undefined }
  | { readonly kind: 'park'; readonly reason: string };

export const ack: Outcome = { kind: 'ack' };
export const retry = (delayMs?: number): Outcome => ({ kind: 'retry', delayMs });
export const park = (reason: string): Outcome => ({ kind: 'park', reason });

export interface ConsumeOptions {
  readonly bus: Bus;
  readonly stream: StreamName;
  readonly durable: string;
  readonly batchSizeMax: number;
  /** Answers an outcome for each message in order; nothing means all are done. */
  readonly handle: (messages: readonly BusMessage[]) => Promise<readonly Outcome[] | undefined>;
  /** Keeps a message that can't be handled, before it is taken out of the stream's way. */
  readonly onPark?: (message: BusMessage, reason: string) => Promise<void>;
  readonly filterSubject?: string;
  /** Failed deliveries after which a message is parked (F29). */
  readonly deliveriesMax?: number;
  readonly ackWaitMs?: number;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

export interface Consumption {
  /** Takes no more, lets the batch in hand end. */
  stop(): Promise<void>;
}

/**
 * Handles a stream's messages in batches, in order, each at least once, for ever: across reconnections, and when the
 * consumer or the stream was deleted and made again.
 */
export function consume(options: ConsumeOptions): Consumption {
  const stopping = new AbortController();
  const done = run(options, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

async function run(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
  const { bus, logger, durable } = options;
  while (!signal.aborted) {
    try {
      await bus.ready(signal);
      await consumeUntilBroken(options, signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error, durable }, 'a consumer broke and begins again');
    }
    if (!signal.aborted) await delay(restartDelayMs, undefined, { signal }).catch(() => undefined);
  }
}

async function consumeUntilBroken(options: ConsumeOptions, signal: AbortSignal): Promise<void> {
  const { bus, stream, durable, batchSizeMax } = options;
  const { client, manager } = bus.connection();
  await manager.consumers.add(stream, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(options.ackWaitMs ?? ackWaitMsDefault),
    deliver_policy: DeliverPolicy.All,
    // Unbounded here, because an outage of our own database must not use up a message's chances; parking is ours.
    max_deliver: -1,
    max_ack_pending: batchesUnacked * batchSizeMax,
    ...(options.filterSubject === undefined ? {} : { filter_subject: options.filterSubject }),
  });
  const consumer = await client.consumers.get(stream, durable);
  const inbox = createInbox(batchSizeMax);
  const messages = await consumer.consume({
    max_messages: batchesUnacked * batchSizeMax,
    expires: pullExpiryMs,
    callback: inbox.put,
  });
  const stop = () => {
    messages.stop();
    inbox.end();
  };
  signal.addEventListener('abort', stop, { once: true });
  // Not told to who listens only afterwards: the consumer took a few round trips to make.
  if (signal.aborted) stop();
  void watchConsumer(messages, stop);
  void messages.closed().then(() => inbox.end());
  try {
    for (let batch = await inbox.take(); batch.length > 0; batch = await inbox.take()) {
      await handleBatch(options, batch, signal);
      if (signal.aborted) break;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    messages.stop();
  }
}

/** The client goes on asking a consumer that is no more; it only says so here. */
async function watchConsumer(messages: ConsumerMessages, stop: () => void): Promise<void> {
  const broken: ReadonlySet<string> = new Set([
    ConsumerEvents.ConsumerDeleted,
    ConsumerEvents.ConsumerNotFound,
    ConsumerEvents.StreamNotFound,
    ConsumerEvents.HeartbeatsMissed,
  ]);
  for await (const status of await messages.status()) if (broken.has(status.type)) stop();
}

/** Messages as they come, taken in batches. Bounded by the consumer's max_ack_pending. */
function createInbox(batchSizeMax: number) {
  const waiting: JsMsg[] = [];
  let isEnded = false;
  let wake: (() => void) | undefined;
  return {
    put(message: JsMsg) {
      waiting.push(message);
      wake?.();
    },
    end() {
      isEnded = true;
      wake?.();
    },
    async take(): Promise<JsMsg[]> {
      while (waiting.length === 0 && !isEnded) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      // What arrived in the same read of the socket belongs to the same batch.
      await new Promise((resolve) => setImmediate(resolve));
      return isEnded ? [] : waiting.splice(0, batchSizeMax);
    },
  };
}

async function handleBatch(options: ConsumeOptions, batch: readonly JsMsg[], signal: AbortSignal): Promise<void> {
  const messages = batch.map(toBusMessage);
  const { metrics, stream, durable } = options;
  metrics?.set('bus_consumer_lag', batch.at(-1)?.info.pending ?? 0, { stream, durable });
  const endSpans = startSpans(options.durable, messages);
  try {
    const outcomes = await options.handle(messages);
    for (const [index, message] of batch.entries()) {
      await settle(options, message, messages[index] ?? toBusMessage(message), outcomes?.[index] ?? ack);
    }
  } catch (error) {
    await handleFailure(options, batch, messages, error, signal);
  } finally {
    endSpans();
  }
}

async function handleFailure(
  options: ConsumeOptions,
  batch: readonly JsMsg[],
  messages: readonly BusMessage[],
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  const { logger, durable } = options;
  if (isServiceError(error, 'UNAVAILABLE', 'OVERLOADED', 'DEADLINE_EXCEEDED')) {
    // Ours, not the messages': they wait without losing a chance.
    logger.warn({ err: error, durable, messages: batch.length }, 'a batch waits for a dependency');
    for (const message of batch) message.nak(outageDelayMs);
    await delay(outageDelayMs, undefined, { signal }).catch(() => undefined);
    return;
  }
  if (batch.length > 1) {
    // One of them spoils the batch: alone, only that one fails, and holds nobody up.
    for (const message of batch) await handleBatch(options, [message], signal);
    return;
  }
  const [message] = batch;
  const [known] = messages;
  if (message === undefined || known === undefined) return;
  logger.warn({ err: error, durable, subject: known.subject, deliveries: known.deliveryCount }, 'a message failed');
  await settle(options, message, known, retry());
}

async function settle(options: ConsumeOptions, message: JsMsg, known: BusMessage, outcome: Outcome): Promise<void> {
  const { metrics, stream, durable, deliveriesMax = deliveriesMaxDefault } = options;
  const isLast = known.deliveryCount >= deliveriesMax;
  const final = outcome.kind === 'retry' && isLast ? park(`failed ${known.deliveryCount} times`) : outcome;
  metrics?.increment('bus_messages_total', { stream, durable, outcome: final.kind });
  if (final.kind === 'ack') {
    message.ack();
  } else if (final.kind === 'retry') {
    message.nak(final.delayMs ?? retryDelay(known.deliveryCount));
  } else {
    await parkMessage(options, message, known, final.reason);
  }
}

async function parkMessage(options: ConsumeOptions, message: JsMsg, known: BusMessage, reason: string): Promise<void> {
  const { logger, durable, onPark } = options;
  try {
    await onPark?.(known, reason);
  } catch (error) {
    logger.error({ err: error, durable }, 'a message could not be parked and stays in the stream');
    message.nak(outageDelayMs);
    return;
  }
  logger.error({ durable, subject: known.subject, messageId: known.messageId, reason }, 'a message was parked');
  // Without a reason: nats-server 2.9 takes `+TERM reason` for nothing and delivers again (measured.md).
  message.term();
}

function retryDelay(deliveryCount: number): number {
  const limitMs = Math.min(retryDelayMaxMs, retryDelayFirstMs * 2 ** (deliveryCount - 1));
  return limitMs / 2 + (Math.random() * limitMs) / 2;
}

function toBusMessage(message: JsMsg): BusMessage {
  const carried: Record<string, string> = {};
  for (const [key, values] of message.headers ?? []) carried[key] = values[0] ?? '';
  return {
    subject: message.subject,
    data: message.data,
    messageId: carried['Nats-Msg-Id'] ?? '',
    // nats.js calls it redelivery, but the first delivery counts 1.
    deliveryCount: message.info.redeliveryCount,
    streamSequence: message.seq,
    headers: carried,
  };
}

/** The batch is part of the trace of each act in it: a span in each, as long as the batch takes. */
function startSpans(durable: string, messages: readonly BusMessage[]): () => void {
  const seen = new Set<string>();
  const tracer = trace.getTracer('strongroom');
  const spans: Span[] = [];
  for (const message of messages) {
    const parent = message.headers['traceparent'];
    if (parent === undefined || seen.has(parent) || seen.size >= spansMax) continue;
    seen.add(parent);
    const context = traceContext(message.headers);
    if (context === ROOT_CONTEXT) continue;
    const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': message.subject };
    spans.push(tracer.startSpan(`process ${durable}`, { kind: SpanKind.CONSUMER, attributes }, context));
  }
  return () => {
    for (const span of spans) span.end();
  };
}
