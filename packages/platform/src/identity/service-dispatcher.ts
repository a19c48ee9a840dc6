import { Pool } from 'undici';
import type { ServiceIdentity } from './service-identity.ts';
import { checkPeerIdentity, secureContextOptions } from './tls-policy.ts';

export interface ServiceDispatcherOptions {
  /** Name of the service that must be at the other end. */
  readonly name: string;
  readonly url: string | URL;
  /** Needed for https. */
  readonly identity?: ServiceIdentity | undefined;
  readonly connectionsMax?: number;
}

/** Kept-alive connections to one service, with our certificate; made anew when that is renewed. */
export interface ServiceDispatcher {
  current(): Pool;
  /** Calls that can be under way at once; each has a connection of its own. */
  readonly connectionsMax: number;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 64;
const CONNECT_TIMEOUT_MS = 2_000;
/** Below the server's own keep-alive time, so that it is never the server that closes under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const RESPONSE_HEADER_MAX_BYTES = 16_384;

export function createServiceDispatcher(options: ServiceDispatcherOptions): ServiceDispatcher {
  const { identity, connectionsMax = CONNECTIONS_MAX } = options;
  const origin = new URL(options.url).origin;
  const isSecure = origin.startsWith('https:');
  if (isSecure && identity === undefined)
    throw new Error(`${options.name} can only be reached with a service identity`);

  const createPool = (): Pool =>
    new Pool(origin, {
      connections: connectionsMax,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: RESPONSE_HEADER_MAX_BYTES,
      headersTimeout: 0, // each call carries its own deadline
      bodyTimeout: 0,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(identity !== undefined && isSecure
          ? { ...secureContextOptions(identity.material()), checkServerIdentity: checkPeerIdentity(options.name) }
          : {}),
      },
    });

  let pool = createPool();
  const stopListening = identity?.onChange(() => {
    const old = pool;
    pool = createPool();
    old.close().catch(() => old.destroy());
  });
  return {
    current: () => pool,
    connectionsMax,
    async close() {
      stopListening?.();
      await pool.close();
    },
  };
}
