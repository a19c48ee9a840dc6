import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Keyring } from '@strongroom/platform/crypto';
import { commonErrors } from '@strongroom/platform/errors';
import type { Metrics } from '@strongroom/platform/telemetry';
import { Piscina } from 'piscina';
import type { CompareTask, HashTask, MeasureTask } from './hash-worker.ts';
import type { PasswordStrength } from './password.ts';
import { isOutdated, preHash, readStoredPassword, writeStoredPassword } from './password-hash.ts';

export interface PasswordHasher {
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Whether the password is the stored one. Without a stored one the same work is done for nothing, so that time tells
   * nobody whether an account exists (S1.3d).
   */
  verify(password: string, stored: string | undefined, signal?: AbortSignal): Promise<boolean>;
  /** Whether a password that verified should be hashed and stored anew. */
  isOutdated(stored: string): boolean;
  measure(password: string, inputs: readonly string[], signal?: AbortSignal): Promise<PasswordStrength>;
  close(): Promise<void>;
}

export interface PasswordHasherOptions {
  readonly keyring: Keyring;
  readonly cost: number;
  readonly workersMax: number;
  /** Tasks that wait for a worker; one more is refused (OVERLOADED) instead of waiting past everyone's deadline. */
  readonly queueMax: number;
  readonly metrics: Metrics;
}

const overloadedRetryMs = 1_000;

export async function createPasswordHasher(options: PasswordHasherOptions): Promise<PasswordHasher> {
  const { keyring, cost, metrics } = options;
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./hash-worker.ts', import.meta.url)),
    minThreads: 1,
    maxThreads: options.workersMax,
    maxQueue: options.queueMax,
    idleTimeout: 60_000,
    // The loop goes first: people who are signed in don't wait for those who sign in. A little, for with much more a busy
    // machine would let nobody sign in.
    niceIncrement: 5,
  });

  async function run<Task, Result>(name: 'hash' | 'compare' | 'measure', task: Task, signal?: AbortSignal) {
    const startMs = performance.now();
    try {
      return (await pool.run(task, { name, ...(signal === undefined ? {} : { signal }) })) as Result;
    } catch (cause) {
      if (cause instanceof Error && /queue/i.test(cause.message)) {
        throw commonErrors.OVERLOADED({ retryAfterMs: overloadedRetryMs, cause });
      }
      if (signal?.aborted) throw commonErrors.DEADLINE_EXCEEDED({ cause });
      throw cause;
    } finally {
      if (name !== 'measure') {
        metrics.observe('auth_password_hash_duration_seconds', (performance.now() - startMs) / 1000);
      }
    }
  }

  const pepperOf = (keyId?: string) => keyring.subkey('password-pepper', keyId);
  const hash = async (password: string, signal?: AbortSignal): Promise<string> => {
    const task: HashTask = { preHash: preHash(pepperOf(), password), cost };
    return writeStoredPassword(keyring.activeKeyId, await run<HashTask, string>('hash', task, signal));
  };
  // Of a password that nobody knows, at the current cost.
  const dummy = await hash(randomBytes(32).toString('base64'));

  return {
    hash,
    async verify(password, stored, signal) {
      const known = stored === undefined ? undefined : readStoredPassword(stored);
      const compared = known ?? readStoredPassword(dummy);
      if (compared === undefined) return false;
      const given = compared.scheme === 'bcrypt' ? password : preHash(pepperOf(compared.pepperId), password);
      const task: CompareTask = { preHash: given, hash: compared.bcrypt };
      const isEqual = await run<CompareTask, boolean>('compare', task, signal);
      return known !== undefined && isEqual;
    },
    isOutdated(stored) {
      const known = readStoredPassword(stored);
      return known === undefined || isOutdated(known, { pepperId: keyring.activeKeyId, cost });
    },
    measure: (password, inputs, signal) => run<MeasureTask, PasswordStrength>('measure', { password, inputs }, signal),
    close: () => pool.destroy(),
  };
}
