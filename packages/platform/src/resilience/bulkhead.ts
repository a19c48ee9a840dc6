import { Criticality } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../errors/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import { criticalitiesByRank, criticalityName } from './criticality.ts';

/** Places in front of something that takes so many calls at once; who waits for one is let in by criticality. */
export interface Bulkhead {
  /**
   * Takes a place: at once (undefined), or when its turn comes. Rejects with OVERLOADED if that takes more than the
   * criticality's share of the time that is left to the call.
   */
  enter(criticality: Criticality, remainingMs: number): Promise<void> | undefined;
  /** Gives the place to whoever waits and matters most. */
  leave(): void;
  readonly active: number;
  readonly waiting: number;
}

export interface BulkheadOptions {
  readonly name: string;
  readonly max: number;
  readonly waitersMax?: number;
  readonly metrics?: Metrics | undefined;
}

const WAITERS_MAX = 1_024;
/**
 * How much of its time a call may wait. Reports and reads are shed while a person would still wait for another try; money
 * is worth most of its deadline, and the rest is enough for the call itself.
 */
const WAIT_SHARES = new Map<Criticality, number>([
  [Criticality.CRITICAL, 0.6],
  [Criticality.IMPORTANT, 0.4],
]);
const WAIT_SHARE = 0.2;
const RETRY_AFTER_MS = 1_000;

interface Waiter {
  grant(): void;
  shed(): void;
}

/**
 * A plain queue in front of a service that has too much to do serves everyone late, money as well as reports. Here each place
 * that becomes free goes to the most critical call that waits, so that reports are shed first and money last (B-shed).
 */
export function createBulkhead(options: BulkheadOptions): Bulkhead {
  const { name, max, metrics, waitersMax = WAITERS_MAX } = options;
  const queues = new Map<Criticality, Set<Waiter>>(criticalitiesByRank.map((criticality) => [criticality, new Set()]));
  let active = 0;
  let waiting = 0;

  const overloaded = (criticality: Criticality): Error => {
    metrics?.increment('load_shed_total', { name, criticality: criticalityName(criticality) });
    // Those that wait here were never sent: to send them again would only lengthen the queue.
    return commonErrors.OVERLOADED({ retryAfterMs: RETRY_AFTER_MS, metadata: { cause: 'bulkhead' } });
  };
  /** Sheds one that matters less; false if none does. */
  const makeRoomFor = (criticality: Criticality): boolean => {
    for (const other of criticalitiesByRank.toReversed()) {
      if (other === criticality) return false;
      const [first] = queues.get(other) ?? [];
      if (first === undefined) continue;
      first.shed();
      return true;
    }
    return false;
  };
  const wait = (criticality: Criticality, limitMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const queue = queues.get(criticality);
      const end = (): void => {
        clearTimeout(timer);
        queue?.delete(waiter);
        waiting -= 1;
      };
      const waiter: Waiter = {
        grant() {
          end();
          resolve();
        },
        shed() {
          end();
          reject(overloaded(criticality));
        },
      };
      const timer = setTimeout(waiter.shed, limitMs);
      queue?.add(waiter);
      waiting += 1;
    });

  return {
    enter(criticality, remainingMs) {
      if (active < max) {
        active += 1;
        return undefined;
      }
      if (waiting >= waitersMax && !makeRoomFor(criticality)) return Promise.reject(overloaded(criticality));
      return wait(criticality, remainingMs * (WAIT_SHARES.get(criticality) ?? WAIT_SHARE));
    },
    leave() {
      for (const queue of queues.values()) {
        const [next] = queue;
        if (next === undefined) continue;
        next.grant();
        return;
      }
      active -= 1;
    },
    get active() {
      return active;
    },
    get waiting() {
      return waiting;
    },
  };
}
