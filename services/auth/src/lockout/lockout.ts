import { sha256 } from '@strongroom/platform/crypto';

/** S1.3a, S1.3b. How much guessing is allowed at one thing. */
export interface LockoutPolicy {
  readonly attemptsMax: number;
  readonly windowMs: number;
  readonly lockMs: number;
}

/** S1.3b: 1 s × 2^(n−2), at most 60 s. */
const backoffUnitMs = 1_000;
const backoffMaxMs = 60_000;
/** What a caller is told to wait while the last attempt allowed is being evaluated. */
const undecidedRetryMs = 1_000;
/** S1.3c: addresses kept for audit. */
const ipAddressesMax = 10;

/** B-lockout: LOCKOUT_PROFILE. */
export const lockoutProfiles = {
  default: { attemptsMax: 5, windowMs: 900_000, lockMs: 900_000 },
  // PCI DSS 4.0, 8.3.4: at most 10 attempts, 30 minutes.
  pci: { attemptsMax: 10, windowMs: 1_800_000, lockMs: 1_800_000 },
} as const satisfies Record<string, LockoutPolicy>;

export interface LockoutState {
  /** Attempts within the window that are wrong or not yet answered, oldest first. */
  readonly attemptTimesMs: readonly number[];
  readonly ipAddresses: readonly string[];
  /** Before this no attempt is evaluated. */
  readonly retryTimeMs?: number | undefined;
  readonly lockTimeMs?: number | undefined;
  readonly unlockTimeMs?: number | undefined;
}

export const emptyLockoutState: LockoutState = { attemptTimesMs: [], ipAddresses: [] };

export type Reservation = {
  readonly outcome: 'evaluate' | 'backoff' | 'locked';
  readonly state: LockoutState;
  /** How long to wait, for a refusal. */
  readonly retryAfterMs: number;
  /** Attempts left after this one, if it is wrong. */
  readonly attemptsLeft: number;
  /** Whether this attempt locked it. */
  readonly hasLocked: boolean;
};

function backoffMs(failures: number): number {
  return failures < 2 ? 0 : Math.min(backoffUnitMs * 2 ** (failures - 2), backoffMaxMs);
}

/**
 * Takes a place before anything is evaluated, so that parallel guesses count one by one (older fault 15). An attempt
 * during the wait isn't evaluated and counts all the same: whoever doesn't wait locks sooner. The wait begins with a
 * failure, not with a reservation: a person's parallel sign-ins don't stand in each other's way.
 */
export function reserveAttempt(
  before: LockoutState,
  nowMs: number,
  ipAddress: string,
  policy: LockoutPolicy,
): Reservation {
  const state = currentState(before, nowMs, policy);
  if (state.unlockTimeMs !== undefined) {
    return refusal('locked', { ...state, ipAddresses: withAddress(state, ipAddress) }, state.unlockTimeMs - nowMs);
  }
  // As many as are allowed are being evaluated: they decide first.
  if (state.attemptTimesMs.length >= policy.attemptsMax) return refusal('backoff', state, undecidedRetryMs);
  const attemptTimesMs = [...state.attemptTimesMs, nowMs];
  const next = { ...state, attemptTimesMs, ipAddresses: withAddress(state, ipAddress) };
  if (state.retryTimeMs === undefined || state.retryTimeMs <= nowMs) {
    const attemptsLeft = policy.attemptsMax - attemptTimesMs.length;
    return { outcome: 'evaluate', state: next, retryAfterMs: 0, attemptsLeft, hasLocked: false };
  }
  const failed = settleFailure(next, nowMs, policy);
  const retryAfterMs = failed.hasLocked ? policy.lockMs : backoffMs(attemptTimesMs.length);
  return {
    ...refusal(failed.hasLocked ? 'locked' : 'backoff', failed.state, retryAfterMs),
    hasLocked: failed.hasLocked,
  };
}

/** An attempt was evaluated and wrong. */
export function settleFailure(
  before: LockoutState,
  nowMs: number,
  policy: LockoutPolicy,
): { state: LockoutState; hasLocked: boolean } {
  const state = currentState(before, nowMs, policy);
  const retryTimeMs = nowMs + backoffMs(state.attemptTimesMs.length);
  if (state.unlockTimeMs !== undefined || state.attemptTimesMs.length < policy.attemptsMax) {
    return { state: { ...state, retryTimeMs }, hasLocked: false };
  }
  const locked = { ...state, retryTimeMs, lockTimeMs: nowMs, unlockTimeMs: nowMs + policy.lockMs };
  return { state: locked, hasLocked: true };
}

/** What still counts now: attempts within the window, and nothing from before a lock that has ended. */
export function currentState(state: LockoutState, nowMs: number, policy: LockoutPolicy): LockoutState {
  if (state.unlockTimeMs !== undefined && state.unlockTimeMs <= nowMs) return emptyLockoutState;
  const attemptTimesMs = state.attemptTimesMs.filter((timeMs) => timeMs > nowMs - policy.windowMs);
  // A lock lasts to its end, also when its attempts have left the window (F15).
  if (attemptTimesMs.length === 0 && state.unlockTimeMs === undefined) return emptyLockoutState;
  return { ...state, attemptTimesMs };
}

/** S1.3a: the normalised address never becomes a key itself. */
export function emailKey(email: string): Buffer {
  return sha256(email);
}

/** B-lockout: a known device has a counter of its own, so strangers can't lock the owner out. */
export function deviceKey(deviceId: string): Buffer {
  return sha256(`device\n${deviceId}`);
}

/** B-lockout: one counter a user for second factors, across challenges. */
export function otpKey(userId: string): Buffer {
  return sha256(`otp\n${userId}`);
}

/** Guesses at the password from inside a session count apart from sign-ins (ASVS V6.2.3). */
export function passwordKey(userId: string): Buffer {
  return sha256(`password\n${userId}`);
}

function refusal(outcome: 'backoff' | 'locked', state: LockoutState, retryAfterMs: number): Reservation {
  return { outcome, state, retryAfterMs, attemptsLeft: 0, hasLocked: false };
}

function withAddress({ ipAddresses }: LockoutState, ipAddress: string): readonly string[] {
  if (ipAddress === '' || ipAddresses.includes(ipAddress)) return ipAddresses;
  return [...ipAddresses, ipAddress].slice(-ipAddressesMax);
}
