import { errors } from '../errors.ts';

const watchersMax = 64;
const retryAfterMs = 15_000;

/** Those who follow the log in this process: so many and no more, and none of them holds up its end. */
export interface Watchers {
  /** Makes room for one, or throws TOO_MANY_WATCHERS; answers how to leave. */
  enter(): () => void;
  /** Aborted once the process closes. */
  readonly closing: AbortSignal;
  close(): void;
}

export function createWatchers(max: number = watchersMax): Watchers {
  const closing = new AbortController();
  let count = 0;
  return {
    enter() {
      if (count >= max || closing.signal.aborted) throw errors.TOO_MANY_WATCHERS({ retryAfterMs });
      count += 1;
      return () => {
        count -= 1;
      };
    },
    closing: closing.signal,
    close: () => closing.abort(),
  };
}
