import { connect, isIP, Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { engineTlsOptions } from '../identity/tls-policy.ts';

/** The first message of a client that wants TLS, and the server's consent (PostgreSQL, "SSL Session Encryption"). */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const sslConsent = 'S'.charCodeAt(0);

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface SocketFailures {
  count: number;
}

/**
 * Sockets are made here to be counted, as postgres.js says when a connection closes and not when one opens, and to close
 * safely. A socket that is reset says 'error' first and 'close' a moment later; postgres.js gives the connection queries in
 * between, and forgets them when the close comes "with error": the caller waits for ever, and the pool has lost a place. A
 * close without error rejects them. The failures that it then doesn't count are counted here.
 */
export function openSocket({ host, port }: Address, failures: SocketFailures): Socket {
  return closeSafely(connect({ host, port, noDelay: true }), failures);
}

export interface SecureSocketOptions {
  /** The authority that must have signed the server's certificate; left out, those that Node knows. */
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
}

/**
 * The same by TLS. postgres.js would make the TLS socket itself, where nobody could make it close safely. It can't bear
 * a promise that fails either: a connection that didn't come about is given to it as a socket that breaks.
 */
export async function openSecureSocket(
  address: Address,
  failures: SocketFailures,
  options: SecureSocketOptions,
): Promise<Socket> {
  try {
    return closeSafely(await connectSecurely(address, options), failures);
  } catch (error) {
    const broken = closeSafely(new Socket(), failures);
    setImmediate(() => broken.destroy(error as Error));
    return broken;
  }
}

async function connectSecurely(
  { host, port }: Address,
  { caFile, timeoutMs }: SecureSocketOptions,
): Promise<TLSSocket> {
  const raw = connect({ host, port, noDelay: true });
  raw.setTimeout(timeoutMs, () => raw.destroy(new Error('PostgreSQL did not agree on TLS in time.')));
  try {
    await askForTls(raw);
    const secure = connectTls({
      ...engineTlsOptions(caFile),
      socket: raw,
      host,
      ...(isIP(host) ? {} : { servername: host }),
    });
    await settled(secure, 'secureConnect');
    raw.setTimeout(0);
    return secure;
  } catch (error) {
    raw.destroy();
    throw error;
  }
}

async function askForTls(raw: Socket): Promise<void> {
  raw.write(sslRequest);
  const [answer] = (await settled(raw, 'data')) as [Buffer];
  // A server that says more before TLS begins wants to smuggle something in (CVE-2021-23222).
  if (answer.length !== 1 || answer[0] !== sslConsent) throw new Error('PostgreSQL refuses to speak TLS.');
}

/** The arguments of the event, or the error that the socket ends with. */
function settled(socket: Socket, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const onEvent = (...values: unknown[]) => finish(() => resolve(values));
    const onError = (error: Error) => finish(() => reject(error));
    const onClose = () => finish(() => reject(new Error('PostgreSQL closed the connection.')));
    const finish = (act: () => void) => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      act();
    };
    socket.once(event, onEvent).once('error', onError).once('close', onClose);
  });
}

function closeSafely<S extends Socket>(socket: S, failures: SocketFailures): S {
  const emit = socket.emit.bind(socket) as (event: string, ...values: unknown[]) => boolean;
  socket.emit = (event: string, ...values: unknown[]) => {
    if (event === 'error') failures.count += 1;
    if (event === 'data') failures.count = 0;
    return event === 'close' ? emit('close', false) : emit(event, ...values);
  };
  return socket;
}
