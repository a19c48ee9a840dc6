import { type Queryable, sqlState } from '@strongroom/platform/database';
import { runInRequest } from '@strongroom/platform/telemetry';

/** Bounds the size of one statement, and what one fault makes slower. */
const rowsMax = 64;
/** While one waits for the disk, another runs and a third is prepared. */
const statementsMax = 3;
/** From here on two statements of half the size end sooner than one. */
const splitRowsMin = 16;

/** SQLSTATE classes 22, 23 and 40: a value that can't be taken, a constraint that is broken, a deadlock. */
function isRowFault(error: unknown): boolean {
  return /^(2[23]|40)/.test(sqlState(error) ?? '');
}

/** Writes one row in a statement that it may share. Answers what became of that row. */
export type BatchWriter<Row, Outcome> = (row: Row) => Promise<Outcome>;

/** Writes some rows in one statement, all or none of them. Answers an outcome for each, in their order. */
export type WriteRows<Row, Outcome> = (source: Queryable, rows: readonly Row[]) => Promise<readonly Outcome[]>;

interface Waiting<Row, Outcome> {
  readonly row: Row;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes rows as they come, and those that come while statements run together in the next: an idle service adds no
 * delay, and a busy one pays for a statement and a commit once for many (as a database does for its log).
 */
export function createBatchWriter<Row, Outcome>(
  database: Queryable,
  write: WriteRows<Row, Outcome>,
  timeoutMs: number,
): BatchWriter<Row, Outcome> {
  const waiting: Waiting<Row, Outcome>[] = [];
  let isStarting = false;
  let statements = 0;
  let rowsRunning = 0;

  async function run(batch: readonly Waiting<Row, Outcome>[]): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    // Many callers wait for the statement: it must not end with the time of the one who happens to start it.
    const deadline = { remainingMs: () => Math.max(0, endMs - performance.now()) };
    try {
      const rows = batch.map(({ row }) => row);
      const outcomes = await runInRequest({ deadline }, () => write(database, rows));
      if (outcomes.length !== batch.length) throw new Error('a statement did not tell of all its rows');
      for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index] as Outcome);
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

  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      startSoon();
    });
}
