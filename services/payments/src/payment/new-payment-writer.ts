import { type Queryable, sqlState } from '@strongroom/platform/database';
import { runInRequest } from '@strongroom/platform/telemetry';
import { type NewPaymentOutcome, type NewPaymentWrite, writeNewPayments } from './new-payment-store.ts';

/** Bounds the size of one statement, and what one fault makes slower. */
const rowsMax = 64;
/** Two, so that one is prepared while the other waits for the disk. */
const statementsMax = 2;

/** SQLSTATE classes 22 and 23: a value that can't be taken, a constraint that is broken. */
function isRowFault(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

interface Waiting {
  readonly write: NewPaymentWrite;
  readonly resolve: (outcome: NewPaymentOutcome) => void;
  readonly reject: (error: unknown) => void;
}

export type NewPaymentWriter = (write: NewPaymentWrite) => Promise<NewPaymentOutcome>;

/**
 * Writes new payments as they come, and those that come while statements run together in the next: an idle service adds
 * no delay, and a busy one pays for a statement and a commit once for many (as a database does for its log).
 */
export function createNewPaymentWriter(database: Queryable, timeoutMs: number): NewPaymentWriter {
  const waiting: Waiting[] = [];
  let running = 0;

  async function run(batch: readonly Waiting[]): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    // Many callers wait for the statement: it must not end with the time of the one who happens to start it.
    const deadline = { remainingMs: () => Math.max(0, endMs - performance.now()) };
    try {
      const writes = batch.map(({ write }) => write);
      const outcomes = await runInRequest({ deadline }, () => writeNewPayments(database, writes));
      for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] ?? 'busy');
    } catch (error) {
      // A row that breaks a rule breaks it alone; what befalls the database befalls all of them.
      if (batch.length > 1 && isRowFault(error)) await Promise.all(batch.map((each) => run([each])));
      else for (const { reject } of batch) reject(error);
    }
  }

  function start(): void {
    while (running < statementsMax && waiting.length > 0) {
      running += 1;
      run(waiting.splice(0, rowsMax)).finally(() => {
        running -= 1;
        start();
      });
    }
  }

  return (write) =>
    new Promise((resolve, reject) => {
      waiting.push({ write, resolve, reject });
      start();
    });
}
