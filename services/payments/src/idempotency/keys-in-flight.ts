import type { StoredKey } from './idempotency-store.ts';

/** The keys that this process works on, by their locks. */
export interface KeysInFlight {
  readonly running: Set<bigint>;
  readonly looks: Map<bigint, Promise<StoredKey | undefined>>;
}

export function createKeysInFlight(): KeysInFlight {
  return { running: new Set(), looks: new Map() };
}
