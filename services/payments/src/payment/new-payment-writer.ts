import { type Queryable, sqlState } from '@strongroom/platform/database';
import { runInRequest } from '@strongroom/platform/telemetry';
import { type NewPaymentOutcome, type NewPaymentWrite, writeNewPayments } from './new-payment-store.ts';

/** Bounds the size of one statement, and what one fault makes slower. */
const rowsMax = 64;
/** Two, so that one is prepared while the other waits for the disk. */
const statementsMax = 2;
/** From here on two statements of half the size end sooner than one. */
const splitRowsMin = 16;

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
  let isStarting = false;
  let statements = 0;
  let rowsRunning = 0;

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

  /** Beside a running statement a much smaller one would only keep the next from growing. */
  function rowsOfNext(): number {
    if (statements === 0) return waiting.length < splitRowsMin ? waiting.length : Math.ceil(waiting.length / 2);
    return statements < statementsMax && waiting.length * 2 >= rowsRunning ? waiting.length : 0;
  }

  function start(): void {
    isStarting = false;
    for (let rows = rowsOfNext(); rows > 0; rows = rowsOfNext()) {
      const batch = waiting.splice(0, Math.min(rows, rowsMax));
      statements += 1;
      rowsRunning += batch.length;
      run(batch).finally(() => {
        statements -= 1;
        rowsRunning -= batch.length;
        startSoon();
      });
    }
  }

  /** Once everyone who was told or read in this turn of the loop has had the time to write. */
  function startSoon(): void {
    if (isStarting) return;
    isStarting = true;
    setImmediate(start);
  }

  return (write) =>
    new Promise((resolve, reject) => {
      waiting.push({ write, resolve, reject });
      startSoon();
    });
}
