import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConnectionOptions,
  connect,
  Events,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
} from 'nats';
import { commonErrors } from '../errors/index.ts';
import { engineTlsOptions } from '../identity/tls-policy.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { traceHeaders } from '../telemetry/trace.ts';
import { ensureStreams, type StreamName, type StreamState } from './streams.ts';

const connectTimeoutMs = 2_000;
const reconnectDelayMs = 250;
const reconnectJitterMs = 250;
const pingIntervalMs = 5_000;
const pingsOutMax = 2;
const requestTimeoutMs = 3_000;
const publishTimeoutMs = 3_000;
const streamCheckMs = 3_000;
const retryAfterMs = 1_000;
const drainTimeoutMs = 3_000;
const signalSubject = 'strongroom.signals';
const signalName = /^[a-z0-9.-]{1,64}$/;

export interface PublishOptions {
  /** JetStream takes each id once within its duplicate window. */
  readonly messageId: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BusState {
  readonly isConnected: boolean;
  readonly hasStreams: boolean;
}

export interface Bus {
  /** Resolves when a stream has taken the message; throws UNAVAILABLE when none did. */
  publish(subject: string, bytes: Uint8Array, options: PublishOptions): Promise<void>;
  /** A hint over core NATS, lost when nobody listens. Never carries what must arrive. */
  signal(name: string, bytes?: Uint8Array): void;
  /** Kept across reconnections. Answers how to stop. */
  onSignal(name: string, listener: (bytes: Uint8Array) => void): () => void;
  state(): BusState;
  /** Throws while the bus can't carry anything: for health checks. */
  check(): Promise<void>;
  /** Told after each look at the streams; `wasMissing` where one had to be made. */
  onStreams(listener: (streams: readonly StreamState[]) => void): void;
  streams(): readonly StreamState[];
  /** Looks at the streams now and makes what is missing. */
  ensureStreams(): Promise<void>;
  /** Resolves once connected and the streams exist. */
  ready(signal?: AbortSignal): Promise<void>;
  /** For consumers: throws UNAVAILABLE while not connected. */
  connection(): BusConnection;
  close(): Promise<void>;
}

export interface BusConnection {
  readonly nats: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

export interface BusOptions {
  readonly url: string;
  readonly name: string;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Copies of each stream in a cluster. */
  readonly replicas?: number;
  /** Where NATS's certificate comes from (ENGINES_CA_FILE), for tls: URLs. */
  readonly caFile?: string | undefined;
}

/** Connects in the background, for ever, and keeps the streams in being. A bus that is away stops no process. */
export function createBus({ url, name, logger, metrics, replicas = 1, caFile }: BusOptions): Bus {
  let connected: BusConnection | undefined;
  let isConnected = false;
  let streams: readonly StreamState[] = [];
  let checking: Promise<void> | undefined;
  const closing = new AbortController();
  const streamListeners: ((streams: readonly StreamState[]) => void)[] = [];
  const signalListeners = new Map<string, Set<(bytes: Uint8Array) => void>>();
  metrics?.watch('bus_connected', () => (isConnected ? 1 : 0));

  function connection(): BusConnection {
    if (connected === undefined || !isConnected) {
      throw commonErrors.UNAVAILABLE({ retryAfterMs, cause: new Error('The bus is not connected.') });
    }
    return connected;
  }

  async function lookAtStreams(): Promise<void> {
    const { manager } = connection();
    const found = await ensureStreams(manager, replicas);
    for (const stream of found.filter((each) => each.wasMissing)) {
      metrics?.increment('bus_streams_created_total', { stream: stream.name });
      logger.warn({ stream: stream.name }, 'a stream was missing and has been made');
    }
    streams = found;
    for (const listener of streamListeners) listener(found);
  }

  function ensure(): Promise<void> {
    checking ??= lookAtStreams().finally(() => {
      checking = undefined;
    });
    return checking;
  }

  async function watchStreams(): Promise<void> {
    while (!closing.signal.aborted) {
      await ensure().catch((error: unknown) => {
        streams = [];
        if (isConnected) logger.warn({ err: error }, 'the streams could not be looked at');
      });
      await delay(streamCheckMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  async function watchConnection(nats: NatsConnection): Promise<void> {
    for await (const status of nats.status()) {
      if (status.type === Events.Disconnect) {
        isConnected = false;
        logger.warn('the bus is gone');
      } else if (status.type === Events.Reconnect) {
        isConnected = true;
        metrics?.increment('bus_reconnects_total');
        logger.info('the bus is back');
        await ensure().catch(() => undefined);
      }
    }
  }

  async function open(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const nats = await connect(connectionOptions(url, name, caFile));
        const manager = await nats.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });
        if (closing.signal.aborted) return await nats.close();
        connected = { nats, manager, client: nats.jetstream({ timeout: publishTimeoutMs }) };
        isConnected = true;
        void watchConnection(nats);
        void watchStreams();
        for (const signal of signalListeners.keys()) subscribe(nats, signal, signalListeners);
        return;
      } catch (error) {
        // Wrong credentials too: they may be put right while the process waits, and it isn't ready until then.
        logger.warn({ err: error }, 'the bus does not answer yet');
        await delay(reconnectDelayMs * 4, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }
  void open();

  return {
    async publish(subject, bytes, { messageId, headers: given }) {
      const { client } = connection();
      const carried = headers();
      for (const [key, value] of Object.entries(given ?? traceHeaders())) carried.set(key, value);
      try {
        await client.publish(subject, bytes, { msgID: messageId, headers: carried, timeout: publishTimeoutMs });
      } catch (cause) {
        throw commonErrors.UNAVAILABLE({ cause, retryAfterMs });
      }
    },
    signal(signal, bytes = new Uint8Array()) {
      requireSignalName(signal);
      if (isConnected) connected?.nats.publish(`${signalSubject}.${signal}`, bytes);
    },
    onSignal(signal, listener) {
      requireSignalName(signal);
      let listeners = signalListeners.get(signal);
      if (listeners === undefined) {
        listeners = new Set();
        signalListeners.set(signal, listeners);
        if (connected !== undefined) subscribe(connected.nats, signal, signalListeners);
      }
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    state: () => ({ isConnected, hasStreams: streams.length > 0 }),
    async check() {
      await connection().nats.flush();
      if (streams.length === 0) throw commonErrors.UNAVAILABLE({ cause: new Error('The streams do not exist.') });
    },
    onStreams: (listener) => void streamListeners.push(listener),
    streams: () => streams,
    ensureStreams: ensure,
    async ready(signal) {
      while (!isConnected || streams.length === 0) {
        signal?.throwIfAborted();
        await delay(20, undefined, signal === undefined ? {} : { signal });
      }
    },
    connection,
    async close() {
      closing.abort();
      isConnected = false;
      if (connected === undefined) return;
      const { nats } = connected;
      // drain waits for a server that may be gone.
      const timeout = delay(drainTimeoutMs, undefined, { ref: false });
      await Promise.race([nats.drain().catch(() => undefined), timeout]);
      await nats.close();
    },
  };
}

/** nats.js ignores credentials inside a URL, so they are taken out of it. */
function connectionOptions(url: string, name: string, caFile: string | undefined): ConnectionOptions {
  const { host, hostname, username, password, protocol } = new URL(url);
  return {
    servers: host,
    name,
    // Its own, so that the server can keep each service from reading what others are answered.
    inboxPrefix: `_INBOX_${name}`,
    timeout: connectTimeoutMs,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectDelayMs,
    reconnectJitter: reconnectJitterMs,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsOutMax,
    ...(protocol === 'tls:' ? { tls: tlsOptions(hostname, caFile) } : {}),
    ...(username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
  };
}

/**
 * With them, nats.js refuses a server that offers no TLS. It hands `host` on to node:tls, which would otherwise take a
 * certificate for localhost from a server that is named by its address.
 */
function tlsOptions(host: string, caFile: string | undefined) {
  return { ...engineTlsOptions(caFile), host };
}

function subscribe(
  nats: NatsConnection,
  signal: string,
  listeners: ReadonlyMap<string, ReadonlySet<(bytes: Uint8Array) => void>>,
): void {
  nats.subscribe(`${signalSubject}.${signal}`, {
    callback(error, message) {
      if (error !== null) return;
      for (const listener of listeners.get(signal) ?? []) listener(message.data);
    },
  });
}

function requireSignalName(name: string): void {
  if (!signalName.test(name)) throw new TypeError(`Not a name of a signal: ${name}`);
}

export type { StreamName, StreamState };
