import { gatewayErrors } from '../errors.ts';

export interface StreamGateOptions {
  readonly perCallerMax: number;
  readonly max: number;
}

/** Bounds the open streams, in all and of one caller: each holds two connections for up to an hour. */
export interface StreamGate {
  /** Takes a place; answers the function that gives it back. Throws TOO_MANY_STREAMS. `end` ends the stream from here. */
  enter(caller: string, end: () => void): () => void;
  /** Ends every stream: the process is closing, and the readers find another one (F33). */
  endAll(): void;
  readonly openCount: number;
}

const RETRY_AFTER_MS = 5_000;

export function createStreamGate({ perCallerMax, max }: StreamGateOptions): StreamGate {
  const counts = new Map<string, number>();
  const ends = new Set<() => void>();
  let openCount = 0;
  return {
    endAll() {
      for (const end of ends) end();
    },
    enter(caller, end) {
      const own = counts.get(caller) ?? 0;
      if (own >= perCallerMax || openCount >= max) {
        throw gatewayErrors.TOO_MANY_STREAMS({ retryAfterMs: RETRY_AFTER_MS });
      }
      counts.set(caller, own + 1);
      openCount++;
      ends.add(end);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        openCount--;
        ends.delete(end);
        const left = (counts.get(caller) ?? 1) - 1;
        if (left === 0) counts.delete(caller);
        else counts.set(caller, left);
      };
    },
    get openCount() {
      return openCount;
    },
  };
}
