/**
 * A sliding window made of two fixed ones: what was counted in the window before weighs as much as of it still lies
 * within the last `windowMs`. The weighted part is rounded up, so that a boundary never gives anything away.
 */
export interface WindowCounts {
  readonly windowIndex: number;
  readonly current: number;
  readonly previous: number;
}

export interface RateRule {
  /** Requests allowed in any window. */
  readonly max: number;
  readonly windowMs: number;
}

export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until the next request is allowed, 0 if it is now. */
  readonly retryAfterMs: number;
  /** Until the window is empty again, if nothing more comes. */
  readonly resetMs: number;
}

export function advance(counts: WindowCounts | undefined, rule: RateRule, nowMs: number): WindowCounts {
  const windowIndex = Math.floor(nowMs / rule.windowMs);
  if (counts?.windowIndex === windowIndex) return counts;
  const previous = counts?.windowIndex === windowIndex - 1 ? counts.current : 0;
  return { windowIndex, current: 0, previous };
}

/** The decision about counts as they were before this request; `taken` is what is added if it is allowed. */
export function decide(counts: WindowCounts, rule: RateRule, nowMs: number): RateDecision {
  const { max, windowMs } = rule;
  const elapsedMs = nowMs - counts.windowIndex * windowMs;
  const used = usedOf(counts, windowMs, elapsedMs);
  const allowed = used < max;
  const current = counts.current + (allowed ? 1 : 0);
  const after = { ...counts, current };
  return {
    allowed,
    limit: max,
    remaining: Math.max(0, max - used - (allowed ? 1 : 0)),
    retryAfterMs: allowed ? 0 : waitMs(after, max, windowMs, elapsedMs),
    resetMs: current > 0 ? 2 * windowMs - elapsedMs : windowMs - elapsedMs,
  };
}

function usedOf(counts: WindowCounts, windowMs: number, elapsedMs: number): number {
  return Math.ceil((counts.previous * (windowMs - elapsedMs)) / windowMs) + counts.current;
}

function waitMs(counts: WindowCounts, max: number, windowMs: number, elapsedMs: number): number {
  const { current, previous } = counts;
  if (current < max) {
    // Within this window: when the part of the previous one has shrunk far enough.
    const weight = (max - 1 - current) / previous;
    return Math.max(1, Math.ceil(windowMs * (1 - weight) - elapsedMs));
  }
  const weight = (max - 1) / current;
  return Math.max(1, Math.ceil(windowMs - elapsedMs + windowMs * (1 - weight)));
}
