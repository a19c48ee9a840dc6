import { connect, type Socket } from 'node:net';
import postgres from 'postgres';
import { addArrayTypes, type TypeForms } from './array-types.ts';
import type { DatabaseConfig } from './config.ts';

const reconnectDelayMaxS = 1;
const reconnectDelayFirstS = 0.05;
const keepAliveS = 30;
/** date, time, timestamp, timestamptz. */
const timestampOids = [1082, 1083, 1114, 1184];
const jsonOids = [114, 3802];

export type PostgresClient = postgres.Sql<{ bigint: bigint }>;

export interface Client {
  readonly sql: PostgresClient;
  /** Connections that are open now. */
  openConnections(): number;
}

export interface ClientOptions {
  readonly url: string;
  readonly name: string;
  readonly config: DatabaseConfig;
  readonly max: number;
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/**
 * One client for hot SQL and for drizzle, so that a pool's bound holds for both. drizzle would rewrite the serializers
 * of a client that it is given (measured.md); here they are as it needs them from the start: timestamps and JSON are
 * text both ways.
 */
export function createClient({ url, name, config, max, settings: own }: ClientOptions): Client {
  const sockets = new Set<Socket>();
  const failures = { count: 0 };
  const settings = {
    max,
    prepare: true,
    fetch_types: false,
    connect_timeout: config.DB_CONNECTION_TIMEOUT,
    idle_timeout: config.DB_POOL_TIMEOUT,
    keep_alive: keepAliveS,
    // The default waits up to 20 s: a database that came back would be missed that long (F9: 10 s).
    backoff: () => Math.min(reconnectDelayMaxS, reconnectDelayFirstS * 2 ** Math.min(failures.count, 10)),
    onnotice: () => undefined,
    types: { bigint: postgres.BigInt },
    connection: {
      application_name: name,
      statement_timeout: config.DB_QUERY_TIMEOUT_MS,
      lock_timeout: config.DB_LOCK_TIMEOUT_MS,
      idle_in_transaction_session_timeout: config.DB_IDLE_TRANSACTION_TIMEOUT_MS,
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      ...own,
    },
    socket: (options: { host: string[]; port: number[] }) => openSocket(options, sockets, failures),
  };
  const sql = postgres(url, settings as postgres.Options<{ bigint: postgres.PostgresType<bigint> }>) as PostgresClient;
  useTextForm(sql);
  return {
    sql,
    openConnections() {
      for (const socket of sockets) if (socket.destroyed) sockets.delete(socket);
      return [...sockets].filter((socket) => socket.readyState === 'open').length;
    },
  };
}

/**
 * Made here to be counted, as postgres.js says when a connection closes and not when one opens, and to close safely. A
 * socket that is reset says 'error' first and 'close' a moment later; postgres.js gives the connection queries in between,
 * and forgets them when the close comes "with error": the caller waits for ever, and the pool has lost a place. A close
 * without error rejects them. The failures that it then doesn't count are counted here.
 */
function openSocket(
  { host, port }: { host: string[]; port: number[] },
  sockets: Set<Socket>,
  failures: { count: number },
): Socket {
  const socket = connect({ host: host[0] ?? '127.0.0.1', port: port[0] ?? 5432, noDelay: true });
  for (const known of sockets) if (known.destroyed) sockets.delete(known);
  sockets.add(socket);
  const emit = socket.emit.bind(socket);
  socket.emit = (event: string, ...args: unknown[]) => {
    if (event === 'error') failures.count += 1;
    if (event === 'data') failures.count = 0;
    return event === 'close' ? emit('close', false) : emit(event, ...(args as []));
  };
  // postgres.js reads the name to verify in a certificate from here.
  return Object.assign(socket, { host: host[0] });
}

function useTextForm(sql: PostgresClient): void {
  const { parsers, serializers } = sql.options as unknown as TypeForms;
  const asText = (value: unknown) => (value instanceof Date ? value.toISOString() : value);
  for (const oid of timestampOids) {
    parsers[oid] = (text) => text;
    serializers[oid] = asText;
  }
  for (const oid of jsonOids) {
    serializers[oid] = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  }
  addArrayTypes({ parsers, serializers });
}
