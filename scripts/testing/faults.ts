/** The faults that the system is tested against, and what each is; docs/FAULTS.md says what holds. */
export const faults = {
  F1: 'payments is killed between commit and reply',
  F2: 'payments is killed after the call of the provider',
  F3: 'payments is killed before the commit',
  F4: 'NATS is killed under load',
  F5: 'the JetStream store is wiped',
  F6: 'the bus refuses',
  F7: 'Redis is down',
  F8: 'Redis is emptied',
  F9: 'PostgreSQL is restarted and killed',
  F10: 'PostgreSQL is slow, or a lock is held',
  F11: 'the connection pool is exhausted',
  F12: 'PostgreSQL takes no writes',
  F13: 'the network between edge and service swallows packets',
  F14: 'the clock of one service is wrong',
  F15: 'the clock of auth jumps back',
  F16: 'a webhook comes a hundred times',
  F17: 'webhooks come out of order',
  F18: 'a webhook is signed badly',
  F19: 'a thousand requests with one key',
  F20: 'a thousand requests with one key and two bodies',
  F21: 'one key of two people and on two methods',
  F22: 'a key is left in progress by a crash',
  F23: 'fifty refreshes with one token',
  F24: 'a refresh token from before the last is used again',
  F25: 'auth is killed in the middle of a refresh',
  F26: 'sign-out, demotion and suspension race with requests',
  F27: 'one code in parallel',
  F28: 'the audit consumer is killed again and again',
  F29: 'poison messages',
  F30: 'the audit log is tampered with',
  F31: 'a sealed value is damaged or moved',
  F32: 'keys are rotated under load',
  F33: 'every service is restarted under load',
  F34: 'a process is stopped and goes on later',
  F35: 'messages are delivered twice',
  F36: 'the provider is down, slow or contradicts itself',
  F37: 'serialization failures and deadlocks',
  F40: 'dependencies are missing at the start',
} as const;

export type Fault = keyof typeof faults;

export function isFault(text: string): text is Fault {
  return Object.hasOwn(faults, text);
}

/** The faults that a test's title names: `F4, F5: …`, `F1–F3: …`. */
export function faultsOf(title: string): Fault[] {
  const named = new Set<Fault>();
  for (const [, first = '', last = first] of title.matchAll(/\bF(\d{1,2})(?:–F(\d{1,2}))?\b/g)) {
    for (let number = Number(first); number <= Number(last); number++) {
      const fault = `F${number}`;
      if (isFault(fault)) named.add(fault);
    }
  }
  return [...named];
}
