import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../bus/index.ts';
import { isNotFound } from '../bus/streams.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { type FlagName, flagDefinitions, flagNames } from './flag-definitions.ts';

/** Sent by admin after a change, so that every process looks at once. */
export const flagsChangedSignal = 'flags-changed';
/** The key-value bucket that admin writes: one key a flag, `on` or `off`. */
export const flagsBucket = 'flags';
/** A signal can get lost: the bucket is looked at this often all the same. */
const lookIntervalMs = 5_000;

export interface Flags {
  isEnabled(name: FlagName): boolean;
}

export interface FlagReader extends Flags {
  start(): void;
  stop(): Promise<void>;
}

export interface FlagReaderDeps {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
}

/**
 * What a process that isn't admin knows of the flags (S5.3). While the bus is away, the last state known goes on; what was
 * never heard of has its default.
 */
export function createFlagReader({ bus, logger, metrics }: FlagReaderDeps): FlagReader {
  const state = new Map<FlagName, boolean>(flagNames.map((name) => [name, flagDefinitions[name].defaultEnabled]));
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  const look = async () => {
    if (!bus.state().isConnected) return;
    const bucket = await bus.connection().client.views.kv(flagsBucket, { bindOnly: true });
    for (const name of flagNames) {
      const word = (await bucket.get(name))?.string();
      if (word !== 'on' && word !== 'off') continue;
      state.set(name, word === 'on');
      metrics?.set('feature_flag_state', word === 'on' ? 1 : 0, { flag: name });
    }
  };
  const tryLook = () =>
    look().catch((error: unknown) => {
      // Until admin has made the bucket, nobody has set a flag.
      if (!isNotFound(error)) logger.warn({ err: error }, 'the flags could not be looked at');
    });
  const run = async () => {
    while (!stopping.signal.aborted) {
      await tryLook();
      await delay(lookIntervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  let forget: (() => void) | undefined;
  return {
    isEnabled: (name) => state.get(name) ?? flagDefinitions[name].defaultEnabled,
    start() {
      forget = bus.onSignal(flagsChangedSignal, () => void tryLook());
      loop = bus.ready(stopping.signal).then(run, () => undefined);
    },
    async stop() {
      stopping.abort();
      forget?.();
      await loop;
    },
  };
}
