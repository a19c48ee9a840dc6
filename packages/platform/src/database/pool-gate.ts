import { commonErrors } from '../errors/index.ts';

const retryAfterMs = 1_000;
/** Beyond this, waiting callers would only time out: they are refused at once. */
const waitersMax = 1_000;

export interface PoolGate {
  /** Takes a place if one is free. */
  tryAcquire(): boolean;
  /** Waits for a place, at most `timeoutMs`, then throws UNAVAILABLE. */
  acquire(timeoutMs: number): Promise<void>;
  release(): void;
  readonly active: number;
  readonly waiting: number;
  /** No new place is given; resolves when all are back. */
  drain(): Promise<void>;
}

interface Waiter {
  readonly grant: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Stands in front of postgres.js, whose own queue is endless and puts queries behind slow ones on busy connections: as
 * many run as there are connections, the others wait in order and not for ever (S4.1, F11).
 */
export function createPoolGate(max: number, onTimeout: () => void): PoolGate {
  let active = 0;
  let isDraining = false;
  let drained: (() => void) | undefined;
  const waiters = new Set<Waiter>();

  function tryAcquire(): boolean {
    if (isDraining || active >= max || waiters.size > 0) return false;
    active += 1;
    return true;
  }

  function unavailable(message: string): Error {
    return commonErrors.UNAVAILABLE({ retryAfterMs, cause: new Error(message) });
  }

  return {
    tryAcquire,
    acquire(timeoutMs) {
      if (tryAcquire()) return Promise.resolve();
      if (isDraining) return Promise.reject(unavailable('The pool is closing.'));
      if (waiters.size >= waitersMax) return Promise.reject(unavailable('Too many callers wait for a connection.'));
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.delete(waiter);
          onTimeout();
          reject(unavailable('No connection became free in time.'));
        }, timeoutMs);
        const waiter: Waiter = {
          grant() {
            clearTimeout(timer);
            resolve();
          },
          refuse(error) {
            clearTimeout(timer);
            reject(error);
          },
        };
        waiters.add(waiter);
      });
    },
    release() {
      const [next] = waiters;
      if (next !== undefined) {
        waiters.delete(next);
        next.grant();
        return;
      }
      active -= 1;
      if (active === 0) drained?.();
    },
    get active() {
      return active;
    },
    get waiting() {
      return waiters.size;
    },
    drain() {
      isDraining = true;
      for (const waiter of waiters) waiter.refuse(unavailable('The pool is closing.'));
      waiters.clear();
      if (active === 0) return Promise.resolve();
      return new Promise((resolve) => {
        drained = resolve;
      });
    },
  };
}
