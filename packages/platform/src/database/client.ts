import type { Socket } from 'node:net';
import postgres from 'postgres';
import { isSecurePostgres } from '../config/clear-link.ts';
import { addArrayTypes, type TypeForms } from './array-types.ts';
import type { DatabaseConfig } from './config.ts';
import { type Address, openSecureSocket, openSocket } from './socket.ts';

const reconnectDelayMaxS = 1;
const reconnectDelayFirstS = 0.05;
const keepAliveS = 30;
const msPerS = 1_000;
const postgresPort = 5432;
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
  const isSecure = isSecurePostgres(url);
  const secureOptions = { caFile: config.ENGINES_CA_FILE, timeoutMs: config.DB_CONNECTION_TIMEOUT * msPerS };
  const open = async (address: Address): Promise<Socket> => {
    const socket = isSecure ? await openSecureSocket(address, failures, secureOptions) : openSocket(address, failures);
    for (const known of sockets) if (known.destroyed) sockets.delete(known);
    sockets.add(socket);
    return socket;
  };
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
    ssl: false, // the sockets bring it
    socket: ({ host, port }: { host: string[]; port: number[] }) =>
      open({ host: host[0] ?? '127.0.0.1', port: port[0] ?? postgresPort }),
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
