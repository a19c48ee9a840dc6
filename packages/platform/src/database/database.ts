import { commonErrors } from '../errors/index.ts';
import { currentRequest, type Deadline } from '../telemetry/context.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Act } from './act.ts';
import { createClient } from './client.ts';
import type { DatabaseConfig } from './config.ts';
import { createDurabilityCheck } from './durability.ts';
import { toCallerError } from './errors.ts';
import { cancelQuery, type Dispatch, interceptSql, onSettled } from './intercept.ts';
import { createQueryObserver } from './observe.ts';
import { createOrm } from './orm.ts';
import { createPoolGate, type PoolGate } from './pool-gate.ts';
import { runTransaction } from './transaction.ts';
import type { Database, PoolState, Transaction, TransactionOptions } from './types.ts';

const msPerS = 1_000;
/** Its own housekeeping; rows for others come with writes to other tables or in transactions. */
const outboxTable = 'strongroom.outbox';
const closeTimeoutMsDefault = 10_000;

export interface DatabaseOptions {
  readonly url: string;
  /** The service's name; also the source of its events. */
  readonly name: string;
  readonly config: DatabaseConfig;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Settings of each connection, by PostgreSQL's names. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * The pool of one service. A database that isn't there yet is no fault at start (F40): everything answers UNAVAILABLE
 * until it is. One that could lose what it has committed is refused for good.
 */
export async function createDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, name, config, logger, metrics, settings } = options;
  const max = config.DB_POOL_MAX_CONNECTIONS;
  const label = { database: name };
  const { sql: client, openConnections } = createClient({ url, name, config, max, settings });
  metrics?.add('db_connection_timeouts_total', 0, label);
  const gate = createPoolGate(max, () => metrics?.increment('db_connection_timeouts_total', label));
  const observer = createQueryObserver({ name, config, logger, metrics });
  const durability = createDurabilityCheck(client, logger);
  const listeners: (() => void)[] = [];
  const onWritten = () => {
    for (const listener of listeners) listener();
  };

  async function acquire(deadline: Deadline | undefined): Promise<void> {
    await durability.require();
    const startMs = performance.now();
    const waitMs = Math.min(config.DB_POOL_WAIT_MS, deadline?.remainingMs() ?? Number.POSITIVE_INFINITY);
    await gate.acquire(waitMs);
    metrics?.observe('db_connection_acquisition_duration_seconds', (performance.now() - startMs) / msPerS, label);
  }

  const onCancel = () => metrics?.increment('db_queries_cancelled_total', label);
  const dispatch = dispatchOutside({ acquire, gate, observer, onWritten, onCancel });
  const sql = interceptSql(client, dispatch);
  const deps = {
    client,
    observer,
    statementTimeoutMs: config.DB_QUERY_TIMEOUT_MS,
    connectTimeoutMs: config.DB_CONNECTION_TIMEOUT * msPerS,
    onRetry: () => metrics?.increment('db_transaction_retries_total', label),
    onCancel,
  };

  async function transaction<T>(act: Act, work: (tx: Transaction) => Promise<T>, given: TransactionOptions = {}) {
    const deadline = given.deadline ?? currentRequest()?.deadline;
    await acquire(deadline);
    try {
      const result = await runTransaction(deps, { act, work, options: given, deadline });
      if (!given.readOnly && !given.isQuiet) onWritten();
      return result;
    } finally {
      gate.release();
    }
  }

  const pool = (): PoolState => {
    const total = openConnections();
    const { active, waiting } = gate;
    return { active, waiting, total, max, idle: Math.max(0, total - active) };
  };
  watchPool(metrics, label, pool);
  await durability.start();
  return {
    name,
    sql,
    orm: createOrm(sql),
    transaction,
    async check() {
      await sql`select 1`;
    },
    onWrite: (listener) => void listeners.push(listener),
    pool,
    async close({ timeoutMs = closeTimeoutMsDefault } = {}) {
      durability.stop();
      await settledWithin(gate.drain(), timeoutMs);
      await client.end({ timeout: 1 });
    },
  };
}

interface OutsideDeps {
  readonly acquire: (deadline: Deadline | undefined) => Promise<void>;
  readonly gate: PoolGate;
  readonly observer: ReturnType<typeof createQueryObserver>;
  readonly onWritten: () => void;
  readonly onCancel: () => void;
}

/** How a query outside of a transaction runs: its turn, its deadline, its place given back. */
function dispatchOutside({ acquire, gate, observer, onWritten, onCancel }: OutsideDeps): Dispatch {
  return (query, start) => {
    const deadline = currentRequest()?.deadline;
    const run = () => {
      if (query.cancelled) {
        gate.release();
        return;
      }
      const settled = observer.begin(query);
      let timer: NodeJS.Timeout | undefined;
      let isGivenUp = false;
      const { reject } = query;
      onSettled(query, (error, result) => {
        clearTimeout(timer);
        gate.release();
        const info = settled(error, result);
        if (error === undefined && info.isWrite && info.table !== outboxTable) onWritten();
        return isGivenUp ? error : toCallerError(error, deadline);
      });
      if (deadline !== undefined) {
        timer = setTimeout(() => {
          onCancel();
          cancelQuery(query);
          isGivenUp = true;
          reject(commonErrors.DEADLINE_EXCEEDED());
        }, deadline.remainingMs());
      }
      start();
    };
    acquire(deadline).then(run, query.reject);
  };
}

function watchPool(metrics: Metrics | undefined, label: { database: string }, pool: () => PoolState): void {
  metrics?.watch('db_pool_active_connections', () => pool().active, label);
  metrics?.watch('db_pool_idle_connections', () => pool().idle, label);
  metrics?.watch('db_pool_waiting_requests', () => pool().waiting, label);
  metrics?.watch('db_pool_total_connections', () => pool().total, label);
  metrics?.watch('db_pool_max_connections', () => pool().max, label);
}

async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
