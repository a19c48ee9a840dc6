import { serviceAct, type Transaction } from '@strongroom/platform/database';
import type { Deps } from './deps.ts';
import { deleteOldLockouts } from './lockout/lockout-store.ts';
import { deleteOldChallenges } from './mfa/mfa-store.ts';
import { deleteOldRevocations } from './session/revocation-store.ts';
import { deleteOldSessions } from './session/session-store.ts';
import { deleteOldProofs } from './used-proof-store.ts';

export interface Maintenance {
  start(): void;
  stop(): Promise<void>;
  /** One round, for tests. */
  run(): Promise<void>;
}

const everyMs = 60_000;

/** What time makes useless goes, and what Redis missed is repaired. Any number of instances may do it at once. */
export function createMaintenance(deps: Deps, jobs: readonly (() => Promise<unknown>)[] = []): Maintenance {
  const { database, logger, guard, config } = deps;
  const act = serviceAct('auth');
  const inTransaction = (job: (tx: Transaction) => Promise<unknown>) => () => database.transaction(act, job);
  const rounds = [
    () => guard.repair(),
    inTransaction(deleteOldLockouts),
    inTransaction(deleteOldRevocations),
    inTransaction(deleteOldChallenges),
    inTransaction(deleteOldProofs),
    inTransaction((tx) => deleteOldSessions(tx, config.RETENTION_DAYS)),
    ...jobs,
  ];
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    for (const job of rounds) {
      try {
        await job();
      } catch (error) {
        logger.warn({ err: error }, 'a job of maintenance failed; the next round tries again');
      }
    }
  }

  return {
    start() {
      timer = setInterval(() => {
        running = run();
      }, everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
    run,
  };
}
