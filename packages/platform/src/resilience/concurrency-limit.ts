import { Criticality } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type { Metrics } from '../telemetry/index.ts';
import { criticalityName } from './criticality.ts';

/** One call that was let in; told once how it went. */
export interface Permit {
  release(outcome: 'ok' | 'overload' | 'ignore'): void;
}

export interface ConcurrencyLimit {
  /** undefined: the call is shed. `kind` groups calls of like duration: the method. */
  tryEnter(criticality: Criticality, kind: string): Permit | undefined;
  inFlight(): number;
  limit(): number;
}

export interface ConcurrencyLimitOptions {
  readonly name: string;
  readonly initial?: number;
  readonly min?: number;
  readonly max?: number;
  readonly metrics?: Metrics | undefined;
  readonly now?: () => number;
}

const LIMIT_INITIAL = 100;
const LIMIT_MIN = 8;
const LIMIT_MAX = 1_000;
/** Share of the limit that each criticality may fill: reports first to go, money last (B-shed). */
const SHARES = new Map<Criticality, number>([
  [Criticality.SHEDDABLE, 0.5],
  [Criticality.NORMAL, 0.75],
  [Criticality.IMPORTANT, 0.9],
  [Criticality.CRITICAL, 1],
]);
const SHARE_UNKNOWN = 0.5;
/** Calls looked at before the limit moves. */
const SAMPLES_PER_STEP = 50;
/** Calls may take this many times their unloaded duration before that counts as queueing. */
const TOLERANCE = 4;
/** What people feel as at once. A loop that serves some dozens of calls takes it without being overloaded. */
const DURATION_FLOOR_MS = 100;
const DECREASE = 0.9;
const SLOW_SHARE_MAX = 0.3;
/** How slowly the unloaded duration of a kind of call is forgotten. */
const BASELINE_RISE = 0.05;
/** Share of the limit below which a call counts as unloaded: what it takes then can't be a queue of our making. */
const LIGHT_LOAD_SHARE = 0.1;
const LIGHT_LOAD_MIN = 2;
const KINDS_MAX = 1_000;

/**
 * How many calls may run at once, found out by itself: it grows by the root of itself while calls are quick, and shrinks
 * by a tenth when too many take far longer than they do without load (additive increase, multiplicative decrease). Calls
 * are compared with their own kind, since a password hash takes a hundred times a read.
 */
export function createConcurrencyLimit(options: ConcurrencyLimitOptions): ConcurrencyLimit {
  const { name, min = LIMIT_MIN, max = LIMIT_MAX, metrics, now = () => performance.now() } = options;
  let limit = Math.min(max, options.initial ?? LIMIT_INITIAL);
  let inFlight = 0;
  let samples = 0;
  let slow = 0;
  let busiest = 0;
  const baselines = new Map<string, number>();
  metrics?.watch('concurrency_limit', () => limit, { name });

  const isSlow = (kind: string, durationMs: number, wasLight: boolean): boolean => {
    const known = baselines.get(kind);
    if (known === undefined || durationMs < known) {
      if (known !== undefined || baselines.size < KINDS_MAX) baselines.set(kind, durationMs);
      return false;
    }
    // At its least the limit lets nothing queue here either: then it is the work itself that has become slower.
    if (wasLight || limit <= min) baselines.set(kind, known + (durationMs - known) * BASELINE_RISE);
    return durationMs > Math.max(known * TOLERANCE, DURATION_FLOOR_MS);
  };
  const step = (): void => {
    if (slow / samples > SLOW_SHARE_MAX) limit = Math.max(min, limit * DECREASE);
    // A limit that isn't reached says nothing about whether more would do.
    else if (busiest > limit / 2) limit = Math.min(max, limit + Math.sqrt(limit));
    samples = 0;
    slow = 0;
    busiest = inFlight;
  };

  return {
    tryEnter(criticality, kind) {
      if (inFlight >= Math.max(1, Math.floor(limit * shareOf(criticality)))) {
        metrics?.increment('load_shed_total', { name, criticality: criticalityName(criticality) });
        return undefined;
      }
      inFlight += 1;
      busiest = Math.max(busiest, inFlight);
      const startMs = now();
      const wasLight = inFlight <= Math.max(LIGHT_LOAD_MIN, limit * LIGHT_LOAD_SHARE);
      let isReleased = false;
      return {
        release(outcome) {
          if (isReleased) return;
          isReleased = true;
          inFlight -= 1;
          if (outcome === 'ignore') return;
          samples += 1;
          if (isSlow(kind, now() - startMs, wasLight) || outcome === 'overload') slow += 1;
          if (samples >= SAMPLES_PER_STEP) step();
        },
      };
    },
    inFlight: () => inFlight,
    limit: () => limit,
  };
}

function shareOf(criticality: Criticality): number {
  return SHARES.get(criticality) ?? SHARE_UNKNOWN;
}
