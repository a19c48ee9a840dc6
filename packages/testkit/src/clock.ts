/** A clock that stands still until it is told otherwise. */
export interface TestClock {
  /** Milliseconds since 1970, like Date.now(). */
  now(): number;
  date(): Date;
  advance(ms: number): void;
  set(time: number | Date | string): void;
}

export function createTestClock(start: number | Date | string = '2026-01-15T12:00:00Z'): TestClock {
  let current = new Date(start).getTime();
  return {
    now: () => current,
    date: () => new Date(current),
    advance(ms) {
      current += ms;
    },
    set(time) {
      current = new Date(time).getTime();
    },
  };
}
