import type { Act, Database, Transaction } from '@strongroom/platform/database';
import type { Logger } from '@strongroom/platform/telemetry';
import type { Redis } from 'ioredis';
import {
  emptyLockoutState,
  type LockoutPolicy,
  type LockoutState,
  type Reservation,
  reserveAttempt,
  settleFailure,
} from './lockout.ts';
import {
  type LockoutKind,
  listStaleMirrors,
  lockLockout,
  readLockout,
  setMirrorStale,
  writeLockout,
} from './lockout-store.ts';

/**
 * Counts guesses at one key over all instances (S1.3a). Postgres judges and keeps; Redis holds a copy under
 * `login_attempts:` and `account_lockout:` so that a locked address is refused without touching Postgres: 10,000 guesses
 * cost as many looks into Redis. Redis flushed or down changes nothing but the cost (F7, F8).
 */
export interface AttemptGuard {
  reserve(act: Act, target: GuessTarget): Promise<Verdict>;
  /** In the transaction that records the failure. Answers whether this locked it. */
  fail(tx: Transaction, target: GuessTarget): Promise<boolean>;
  /** In the transaction of the success: what was counted is forgotten. */
  succeed(tx: Transaction, target: GuessTarget): Promise<void>;
  /** After the commit of one of the above. */
  mirror(target: Pick<GuessTarget, 'key'>): Promise<void>;
  read(key: Buffer): Promise<{ state: LockoutState; nowMs: number } | undefined>;
  /** Clears copies that Redis couldn't be told of in time. */
  repair(): Promise<void>;
}

export interface GuessTarget {
  readonly key: Buffer;
  readonly kind: LockoutKind;
  readonly ipAddress: string;
  readonly policy: LockoutPolicy;
}

export type Verdict = Omit<Reservation, 'state'> & { readonly failures: number };

export interface AttemptGuardOptions {
  readonly database: Database;
  readonly redis: Redis;
  readonly logger: Logger;
}

const redisTimeoutMs = 250;
const repairMax = 100;

/** KEYS: lockout. Milliseconds that it still holds; 0 when it doesn't. */
const lookScript = `
if redis.call('HGET', KEYS[1], 'locked') ~= '1' then return 0 end
return redis.call('PTTL', KEYS[1])`;

/**
 * KEYS: one key. ARGV: instant of the state, name and value of its field, life in ms. An older state never replaces a
 * newer one, however the writers are delayed. One key a script, so that a cluster can run it.
 */
const mirrorScript = `
local known = tonumber(redis.call('HGET', KEYS[1], 'at') or '0')
if known > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'at', ARGV[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`;

/** A cleared state stays this long, to stop an older one that is still on its way. */
const clearedLifeMs = 5_000;
const attemptsLifeMs = 3_600_000;

export function attemptsKey(key: Buffer): string {
  return `login_attempts:${key.toString('hex')}`;
}

export function lockoutKey(key: Buffer): string {
  return `account_lockout:${key.toString('hex')}`;
}

export function createAttemptGuard({ database, redis, logger }: AttemptGuardOptions): AttemptGuard {
  async function lockedMs(key: Buffer): Promise<number> {
    try {
      return Number(await within(redis.eval(lookScript, 1, lockoutKey(key))));
    } catch (error) {
      logger.warn({ err: error }, 'Redis could not be asked for a lockout; Postgres decides');
      return 0;
    }
  }

  async function writeMirror(key: Buffer): Promise<void> {
    const known = await readLockout(database, key);
    if (known === undefined) return;
    const { state, nowMs } = known;
    const lockMs = Math.max(0, Math.ceil((state.unlockTimeMs ?? 0) - nowMs));
    const attempts = state.attemptTimesMs.length;
    const attemptsMs = attempts === 0 ? clearedLifeMs : attemptsLifeMs;
    await within(redis.eval(mirrorScript, 1, attemptsKey(key), nowMs, 'attempts', attempts, attemptsMs));
    const isLocked = lockMs > 0;
    const life = isLocked ? lockMs : clearedLifeMs;
    await within(redis.eval(mirrorScript, 1, lockoutKey(key), nowMs, 'locked', isLocked ? 1 : 0, life));
  }

  return {
    async reserve(act, target) {
      const redisMs = await lockedMs(target.key);
      if (redisMs > 0) {
        const failures = target.policy.attemptsMax;
        return { outcome: 'locked', retryAfterMs: redisMs, attemptsLeft: 0, hasLocked: false, failures };
      }
      const { state, ...verdict } = await database.transaction(act, async (tx) => {
        const known = await lockLockout(tx, target.key, target.kind);
        const reserved = reserveAttempt(known.state, known.nowMs, target.ipAddress, target.policy);
        await writeLockout(tx, target.key, reserved.state);
        return reserved;
      });
      return { ...verdict, failures: state.attemptTimesMs.length };
    },
    async fail(tx, target) {
      const known = await lockLockout(tx, target.key, target.kind);
      const { state, hasLocked } = settleFailure(known.state, known.nowMs, target.policy);
      await writeLockout(tx, target.key, state);
      return hasLocked;
    },
    async succeed(tx, target) {
      await lockLockout(tx, target.key, target.kind);
      await writeLockout(tx, target.key, emptyLockoutState);
    },
    async mirror({ key }) {
      try {
        await writeMirror(key);
      } catch (error) {
        logger.warn({ err: error }, 'Redis could not be told of a lockout; it will be');
        await setMirrorStale(database, key, true);
      }
    },
    read: (key) => readLockout(database, key),
    async repair() {
      for (const key of await listStaleMirrors(database, repairMax)) {
        await writeMirror(key);
        await setMirrorStale(database, key, false);
      }
    },
  };
}

/** ioredis keeps commands while it is not connected; a sign-in can't wait for that. */
async function within<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${redisTimeoutMs} ms`)), redisTimeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
