import { createServer as createHttp1Server, type Server as Http1Server, type RequestListener } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { type ServiceIdentity, secureContextOptions } from '../identity/index.ts';
import { isLoopback } from './peer.ts';
import { sniffProtocol } from './sniff.ts';

export interface OnePortOptions {
  readonly listener: RequestListener;
  /** With it, TLS is served, and a client certificate of our authority is asked for. */
  readonly identity?: ServiceIdentity | undefined;
  /** Whether HTTP/1.1 and HTTP/2 in clear are taken, from loopback alone. */
  readonly allowCleartext: boolean;
  /** Told of each handshake that failed: who has no business here tries the door (ASVS V16.3.4). */
  readonly onTlsFailure?: (failure: TlsFailure) => void;
}

export interface TlsFailure {
  readonly code: string;
  readonly address: string | undefined;
}

/** Slow-loris: all headers within this time (S6.3). */
const HEADERS_TIMEOUT_MS = 10_000;
/** The whole request, body included, within this time; above the longest body's honest transfer. */
const REQUEST_TIMEOUT_MS = 60_000;
const CONNECTIONS_CHECKING_INTERVAL_MS = 2_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const HEADER_MAX_BYTES = 16_384; // S6.3
const HEADERS_MAX_COUNT = 100;
/** Time for the first bytes, and for the TLS handshake after them. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;
/** Work in progress may go on for this long after closing has begun. */
const CLOSE_GRACE_MS = 8_000;
const CLOSE_SWEEP_MS = 100;
const CONNECTIONS_MAX = 10_000;
const HTTP2_STREAMS_MAX = 128;
const HTTP2_SESSION_MEMORY_MAX_MB = 16;
const HTTP2_IDLE_TIMEOUT_MS = 120_000;
const HTTP2_INVALID_FRAMES_MAX = 100;
const HTTP2_REJECTED_STREAMS_MAX = 50; // CVE-2023-44487, rapid reset

/**
 * One port for TLS, HTTP/1.1 and HTTP/2 in clear, told apart by the first bytes. The HTTP servers behind it never listen;
 * they are handed sockets. Looks like one http.Server to Fastify.
 */
export function createOnePortServer(options: OnePortOptions): Http1Server {
  const http1 = createHttp1(options.listener);
  const http2 = createHttp2(options.listener);
  const tls = options.identity === undefined ? undefined : createTls(options, options.identity, http1, http2.server);
  const sockets = new Set<Socket>();

  const port = createNetServer({ pauseOnConnect: false, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // a peer that resets is no event of ours
    socket.setTimeout(FIRST_BYTES_TIMEOUT_MS, () => socket.destroy());
    sniffProtocol(socket, (protocol) => {
      if (protocol === 'tls') {
        if (tls === undefined) socket.destroy();
        else tls.emit('connection', socket);
        return;
      }
      if (!options.allowCleartext || !isLoopback(socket.remoteAddress)) {
        socket.destroy();
        return;
      }
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      if (protocol === 'http2') http2.server.emit('connection', socket);
      else http1.emit('connection', socket);
    });
  });
  port.maxConnections = CONNECTIONS_MAX;
  return asHttpServer(port, http1, http2, sockets);
}

function createHttp1(listener: RequestListener): Http1Server {
  const server = createHttp1Server(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CONNECTIONS_CHECKING_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: HEADER_MAX_BYTES,
      insecureHTTPParser: false,
      requireHostHeader: true,
      noDelay: true,
    },
    listener,
  );
  server.maxHeadersCount = HEADERS_MAX_COUNT;
  return server;
}

interface Http2Part {
  readonly server: Http2Server;
  readonly sessions: Set<ServerHttp2Session>;
}

function createHttp2(listener: RequestListener): Http2Part {
  const server = createHttp2Server(
    {
      settings: { maxConcurrentStreams: HTTP2_STREAMS_MAX, maxHeaderListSize: HEADER_MAX_BYTES },
      maxSessionMemory: HTTP2_SESSION_MEMORY_MAX_MB,
      maxSessionInvalidFrames: HTTP2_INVALID_FRAMES_MAX,
      maxSessionRejectedStreams: HTTP2_REJECTED_STREAMS_MAX,
      maxHeaderListPairs: HEADERS_MAX_COUNT,
    },
    listener as unknown as Parameters<typeof createHttp2Server>[1],
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setTimeout(HTTP2_IDLE_TIMEOUT_MS, () => session.close());
  });
  server.on('sessionError', () => undefined); // the session is closed by then; the peer's fault is not ours
  return { server, sessions };
}

function createTls(
  { onTlsFailure }: OnePortOptions,
  identity: ServiceIdentity,
  http1: Http1Server,
  http2: Http2Server,
): TlsServer {
  const server = createTlsServer({
    ...secureContextOptions(identity.material()),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: FIRST_BYTES_TIMEOUT_MS,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setTimeout(0);
    socket.on('error', () => socket.destroy());
    if (socket.alpnProtocol === 'h2') (http2 as Http2Server | Http2SecureServer).emit('connection', socket);
    else http1.emit('connection', socket);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    onTlsFailure?.({ code: error.code ?? 'UNKNOWN', address: socket.remoteAddress });
    socket.destroy();
  });
  // New connections get the new certificate; those in use end by themselves.
  const stopListening = identity.onChange((material) => server.setSecureContext(secureContextOptions(material)));
  http1.once('close', stopListening);
  return server;
}

/** Fastify asks its server for listen, address, close and the two kinds of closing connections. */
function asHttpServer(port: Server, http1: Http1Server, http2: Http2Part, sockets: ReadonlySet<Socket>): Http1Server {
  const closeIdleHttp1 = http1.closeIdleConnections.bind(http1);
  const closeIdleConnections = (): void => {
    closeIdleHttp1();
    // GOAWAY: streams in progress end, no new ones begin.
    for (const session of http2.sessions) session.close();
  };
  const facade: Pick<
    Http1Server,
    'listen' | 'address' | 'close' | 'closeIdleConnections' | 'closeAllConnections' | 'ref' | 'unref'
  > = {
    listen: port.listen.bind(port) as Http1Server['listen'],
    address: port.address.bind(port),
    ref() {
      port.ref();
      return http1;
    },
    unref() {
      port.unref();
      return http1;
    },
    close(callback) {
      // A connection becomes idle when its request ends, and nobody else would notice.
      const sweep = setInterval(closeIdleConnections, CLOSE_SWEEP_MS);
      const grace = setTimeout(() => http1.closeAllConnections(), CLOSE_GRACE_MS);
      port.close((error) => {
        clearTimeout(grace);
        clearInterval(sweep);
        http1.emit('close');
        callback?.(error);
      });
      closeIdleConnections();
      return http1;
    },
    closeIdleConnections,
    closeAllConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
  // Without this event the HTTP server never starts looking for slow headers (measured.md, Transport).
  port.on('listening', () => http1.emit('listening'));
  port.on('error', (error) => http1.emit('error', error));
  Object.defineProperty(http1, 'listening', { get: () => port.listening, configurable: true });
  return Object.assign(http1, facade);
}
