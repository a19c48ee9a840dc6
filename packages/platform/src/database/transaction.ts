import { setTimeout as delay } from 'node:timers/promises';
import { commonErrors } from '../errors/index.ts';
import type { Deadline } from '../telemetry/context.ts';
import type { Act } from './act.ts';
import { actSettings } from './act-settings.ts';
import type { PostgresClient } from './client.ts';
import { isRetryable, toCallerError } from './errors.ts';
import { cancelQuery, type Dispatch, interceptSql, onSettled, type PendingQuery } from './intercept.ts';
import type { QueryObserver } from './observe.ts';
import { createTransactionOrm } from './orm.ts';
import type { ISql, Orm, Transaction, TransactionOptions, TransactionSql } from './types.ts';

const attemptsMax = 4; // the first and 3 retries (F37)
const retryDelayFirstMs = 20;
const retryDelayMaxMs = 500;

export interface TransactionDeps {
  readonly client: PostgresClient;
  readonly observer: QueryObserver;
  readonly statementTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

export interface TransactionRequest<T> {
  readonly act: Act;
  readonly work: (tx: Transaction) => Promise<T>;
  readonly options: TransactionOptions;
  readonly deadline: Deadline | undefined;
}

/** Runs the work, again after a serialization failure or deadlock: 3 retries with full jitter, within the deadline. */
export async function runTransaction<T>(deps: TransactionDeps, request: TransactionRequest<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(deps, request);
    } catch (error) {
      const isOver = request.deadline !== undefined && request.deadline.remainingMs() <= 0;
      if (!isRetryable(error) || attempt >= attemptsMax || isOver) throw toCallerError(error, request.deadline);
      deps.onRetry();
      await delay(Math.random() * Math.min(retryDelayMaxMs, retryDelayFirstMs * 2 ** attempt));
    }
  }
}

async function runOnce<T>(deps: TransactionDeps, { act, work, options, deadline }: TransactionRequest<T>): Promise<T> {
  const running = new Set<PendingQuery>();
  let hasStarted = false;
  let isAbandoned = false;
  const connection = { isLost: false };
  const timers: NodeJS.Timeout[] = [];
  const begun = deps.client.begin(beginClause(options), async (raw) => {
    // The caller has been told that there was no connection: nothing may be written any more.
    if (isAbandoned) throw commonErrors.UNAVAILABLE();
    hasStarted = true;
    const sql = interceptSql(
      raw as TransactionSql,
      dispatchInside({ observer: deps.observer, running, deadline, connection }),
    );
    if (deadline !== undefined) {
      const cancelAll = () => {
        for (const query of running) {
          deps.onCancel();
          cancelQuery(query);
        }
      };
      timers.push(setTimeout(cancelAll, deadline.remainingMs()));
    }
    // Sent at once and not waited for: it travels with the first statement of the work.
    const settings = applySettings(raw as TransactionSql, act, statementTimeout(deps, deadline));
    return endUnlessLost(connection, async () => {
      const result = await work(transactionOf(sql, act, deadline));
      await settings;
      return result;
    });
  }) as Promise<T>;
  begun.catch(() => {
    connection.isLost = true;
  });
  // Connecting to a host that swallows packets must not outlast the caller.
  const limitMs = Math.min(deps.connectTimeoutMs, deadline?.remainingMs() ?? Number.POSITIVE_INFINITY);
  const noConnection = new Promise<never>((_, reject) => {
    const giveUp = () => {
      if (hasStarted) return;
      isAbandoned = true;
      reject(commonErrors.UNAVAILABLE({ cause: new Error('No connection to the database in time.') }));
    };
    timers.push(setTimeout(giveUp, limitMs));
  });
  try {
    return await Promise.race([begun, noConnection]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

interface Connection {
  isLost: boolean;
}

/**
 * The end of a transaction whose connection is gone has been told to the caller by postgres.js, which would still send
 * `rollback` or `commit` on it, and that ends the process (porsager/postgres#1208, open as of 3.4.9). So it never hears of
 * the end. A socket says 'error' a moment before 'close': whether it is lost is known in the next turn of the loop.
 */
async function endUnlessLost<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    if (!connection.isLost) return result;
  } catch (error) {
    await delay(0);
    if (!connection.isLost) throw error;
  }
  return new Promise<never>(() => undefined);
}

function beginClause({ isolation, readOnly }: TransactionOptions): string {
  return `${isolation === undefined ? '' : `isolation level ${isolation}`} ${readOnly ? 'read only' : ''}`.trim();
}

/** The server itself ends what outlives the caller (B-shed): the rest of the deadline, never more than the setting. */
function statementTimeout(deps: TransactionDeps, deadline: Deadline | undefined): number | undefined {
  if (deadline === undefined) return undefined;
  const leftMs = Math.max(1, Math.ceil(deadline.remainingMs()));
  return leftMs < deps.statementTimeoutMs ? leftMs : undefined;
}

function applySettings(sql: ISql, act: Act, timeoutMs: number | undefined) {
  const settings = actSettings(sql, act);
  const query =
    timeoutMs === undefined
      ? sql`select ${settings}`
      : sql`select ${settings}, set_config('statement_timeout', ${String(timeoutMs)}, true)`;
  return query.execute();
}

interface InsideDeps {
  readonly observer: QueryObserver;
  readonly running: Set<PendingQuery>;
  readonly deadline: Deadline | undefined;
  readonly connection: Connection;
}

function dispatchInside({ observer, running, deadline, connection }: InsideDeps): Dispatch {
  return (query, start) => {
    if (connection.isLost) {
      query.reject(commonErrors.UNAVAILABLE({ cause: new Error('The connection of this transaction is gone.') }));
      return;
    }
    if (deadline !== undefined && deadline.remainingMs() <= 0) {
      query.reject(commonErrors.DEADLINE_EXCEEDED());
      return;
    }
    const settled = observer.begin(query);
    running.add(query);
    onSettled(query, (error, result) => {
      running.delete(query);
      settled(error, result);
      return error;
    });
    start();
  };
}

function transactionOf(sql: TransactionSql, act: Act, deadline: Deadline | undefined): Transaction {
  let orm: Orm | undefined;
  return {
    sql,
    act,
    deadline,
    get orm() {
      orm ??= createTransactionOrm(sql);
      return orm;
    },
  };
}
