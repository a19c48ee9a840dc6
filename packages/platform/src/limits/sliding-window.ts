/**
 * A sliding window that holds wherever it begins: the times of the requests that were allowed, those of one slot gathered
 * under the last of them. So what is kept is bounded, no boundary gives anything away, and nobody waits longer than a
 * window. Oldest first, at most `slotsPerWindow` + 1.
 */
export type Slots = readonly Slot[];

export interface Slot {
  /** Milliseconds since 1970 of the last request in it. */
  readonly lastMs: number;
  readonly count: number;
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
  /** Until the oldest requests that count leave the window. */
  readonly resetMs: number;
}

/** How exactly a window slides: requests of one slot leave it together. */
const slotsPerWindow = 32;

export function slotMs({ windowMs }: RateRule): number {
  return windowMs / slotsPerWindow;
}

/** What still counts. */
export function slide(slots: Slots, { windowMs }: RateRule, nowMs: number): Slots {
  return slots.filter(({ lastMs }) => lastMs > nowMs - windowMs);
}

/** With one request more. */
export function count(slots: Slots, rule: RateRule, nowMs: number): Slots {
  const newest = slots.at(-1);
  const indexOf = (timeMs: number) => Math.floor(timeMs / slotMs(rule));
  if (newest === undefined || indexOf(newest.lastMs) !== indexOf(nowMs)) return [...slots, { lastMs: nowMs, count: 1 }];
  return [...slots.slice(0, -1), { lastMs: nowMs, count: newest.count + 1 }];
}

/** About one request more; `slots` is what counts before it. */
export function decide(slots: Slots, rule: RateRule, nowMs: number): RateDecision {
  const { max, windowMs } = rule;
  const used = slots.reduce((sum, slot) => sum + slot.count, 0);
  const allowed = used < max;
  const [oldest] = allowed ? count(slots, rule, nowMs) : slots;
  return {
    allowed,
    limit: max,
    remaining: allowed ? max - used - 1 : 0,
    retryAfterMs: allowed ? 0 : waitMs(slots, used, rule, nowMs),
    resetMs: (oldest?.lastMs ?? nowMs) + windowMs - nowMs,
  };
}

/** Until so many have left the window that one more may come. */
function waitMs(slots: Slots, used: number, { max, windowMs }: RateRule, nowMs: number): number {
  let left = used;
  for (const slot of slots) {
    left -= slot.count;
    if (left < max) return slot.lastMs + windowMs - nowMs;
  }
  return windowMs;
}
