import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '@strongroom/platform/bus';
import type { Database } from '@strongroom/platform/database';
import {
  type FlagName,
  type FlagReader,
  flagDefinitions,
  flagNames,
  flagsBucket,
  flagsChangedSignal,
} from '@strongroom/platform/flags';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { listStoredFlags } from './flag-store.ts';

/** A signal can get lost: the database is looked at this often all the same. */
const lookIntervalMs = 5_000;

/** The flags as admin's database has them. While it is away, the last state known goes on. */
export interface FlagBoard extends FlagReader {
  refresh(): Promise<void>;
  /** After a change: looks, then tells every other process. */
  announce(): Promise<void>;
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
    async announce() {
      await refresh();
      // The bucket is written at the next look at the latest; those who read it are told once it has the new state.
      await mirror().catch((error: unknown) => logger.warn({ err: error }, 'the flags could not be repeated'));
      bus.signal(flagsChangedSignal);
    },
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
