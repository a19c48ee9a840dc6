/** Names of what can wake a worker early. A signal only saves time: everything is found by looking, too. */
export type SignalName = 'psp-task' | 'payment-changed' | 'webhook-delivery' | 'schedule';

export interface Signals {
  raise(name: SignalName): void;
  /** Answers with the function that ends it. */
  on(name: SignalName, listener: () => void): () => void;
}

export function createSignals(): Signals {
  const listeners = new Map<SignalName, Set<() => void>>();
  return {
    raise(name) {
      for (const listener of listeners.get(name) ?? []) listener();
    },
    on(name, listener) {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known);
      known.add(listener);
      return () => void known.delete(listener);
    },
  };
}
