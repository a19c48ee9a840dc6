import { setTimeout as delay } from 'node:timers/promises';

const defaultTimeoutMs = 10_000;
const defaultIntervalMs = 20;

export interface UntilOptions {
  timeoutMs?: number;
  intervalMs?: number;
  /** Says in the error what was waited for. */
  what?: string;
}

/** Waits for a condition of the outside world and returns its first truthy value. An error counts as "not yet". */
export async function until<T>(
  predicate: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      const value = await predicate();
      if (value) return value as Exclude<T, undefined | null | false | 0 | ''>;
      last = value;
    } catch (error) {
      last = error;
    }
    await delay(options.intervalMs ?? defaultIntervalMs);
  } while (performance.now() < deadline);
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`${options.what ?? 'The condition'} did not hold within ${timeoutMs} ms (last: ${seen})`);
}
