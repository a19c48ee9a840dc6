import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { Redis } from 'ioredis';

/** B-lockout: one guess on each of many accounts stays below every account's own limit. This counts the accounts. */
export interface SprayDetector {
  /** Notes a failure at an address (by its hash); true for the one that trips the detector in its window. */
  note(key: Buffer): Promise<boolean>;
  /** Whether the detector has tripped in this window. */
  isTripped(): boolean;
}

export interface SprayDetectorOptions {
  readonly redis: Redis;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly accountsMax: number;
  readonly now: () => number;
}

/** Windows follow each other by the clock, so that all instances have the same. */
export const sprayWindowMs = 600_000;
const tripKey = 'login_spray_tripped:';
const countKey = 'login_spray:';

/** Distinct addresses in a window, over all instances in a HyperLogLog; without Redis in this process alone. */
export function createSprayDetector({ redis, logger, metrics, accountsMax, now }: SprayDetectorOptions): SprayDetector {
  let local = { window: 0, keys: new Set<string>(), isTripped: false };

  function localWindow() {
    const window = Math.floor(now() / sprayWindowMs);
    if (local.window !== window) local = { window, keys: new Set(), isTripped: false };
    return local;
  }

  async function countShared(key: Buffer, window: number): Promise<{ count: number; isFirst: boolean }> {
    const name = `${countKey}${window}`;
    const results = await redis
      .multi()
      .pfadd(name, key.toString('hex'))
      .pexpire(name, 2 * sprayWindowMs)
      .pfcount(name)
      .exec();
    const count = Number(results?.[2]?.[1] ?? 0);
    if (count < accountsMax) return { count, isFirst: false };
    const set = await redis.set(`${tripKey}${window}`, '1', 'PX', 2 * sprayWindowMs, 'NX');
    return { count, isFirst: set === 'OK' };
  }

  return {
    async note(key) {
      const here = localWindow();
      if (here.keys.size < accountsMax) here.keys.add(key.toString('hex'));
      let count = here.keys.size;
      let isFirst = count >= accountsMax && !here.isTripped;
      try {
        if (redis.status === 'ready') ({ count, isFirst } = await countShared(key, here.window));
      } catch (error) {
        logger.warn({ err: error }, 'the shared count of failing accounts can not be read; this process counts alone');
      }
      if (count >= accountsMax) here.isTripped = true;
      if (isFirst) metrics.increment('auth_lockout_detector_trips_total');
      return isFirst;
    },
    isTripped: () => localWindow().isTripped,
  };
}
