import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '@strongroom/platform/bus';
import type { Database } from '@strongroom/platform/database';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { listStoredFlags } from './flag-store.ts';
import { type FlagName, flagDefinitions, flagNames } from './flags.ts';

/** Sent after a change, so that every process looks at once. */
export const flagsChangedSignal = 'flags-changed';
/** The bucket that other services may read the flags from: one key a flag, `on` or `off`. */
export const flagsBucket = 'flags';
/** A signal can get lost: the database is looked at this often all the same. */
const lookIntervalMs = 5_000;

/** What this process knows of the flags. While the database is away, the last state known goes on. */
export interface FlagBoard {
  isEnabled(name: FlagName): boolean;
  refresh(): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

export interface FlagBoardDeps {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export function createFlagBoard({ database, bus, logger, metrics }: FlagBoardDeps): FlagBoard {
  const state = new Map<FlagName, boolean>(flagNames.map((name) => [name, flagDefinitions[name].defaultEnabled]));
  const stopping = new AbortController();
  let loop: Promise<void> = Promise.resolve();
  let mirrored = '';
  const refresh = async () => {
    const stored = new Map((await listStoredFlags(database)).map(({ name, enabled }) => [name, enabled]));
    for (const name of flagNames) {
      const enabled = stored.get(name) ?? flagDefinitions[name].defaultEnabled;
      state.set(name, enabled);
      metrics.set('feature_flag_state', enabled ? 1 : 0, { flag: name });
    }
  };
  /** The database decides; the bucket repeats it, also after the bus has lost it. */
  const mirror = async () => {
    const stamp = JSON.stringify([bus.streams().map(({ createTime }) => createTime), [...state]]);
    if (stamp === mirrored || !bus.state().isConnected) return;
    const bucket = await bus.connection().client.views.kv(flagsBucket, { history: 1 });
    for (const [name, enabled] of state) await bucket.put(name, enabled ? 'on' : 'off');
    mirrored = stamp;
  };
  const look = async () => {
    await refresh();
    await mirror();
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => logger.warn({ err: error }, 'the flags could not be looked at'));
      await delay(lookIntervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const forget = bus.onSignal(flagsChangedSignal, () => {
    look().catch((error: unknown) => logger.warn({ err: error }, 'the flags could not be looked at'));
  });
  return {
    isEnabled: (name) => state.get(name) ?? flagDefinitions[name].defaultEnabled,
    refresh,
    start() {
      loop = run();
    },
    async stop() {
      stopping.abort();
      forget();
      await loop;
    },
  };
}
