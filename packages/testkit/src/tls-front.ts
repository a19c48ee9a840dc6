import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export type EngineProtocol = 'postgres' | 'redis' | 'nats';

export interface TlsFrontOptions {
  /** The engine's URL. */
  readonly target: string;
  readonly protocol: EngineProtocol;
  /** Of the front, as PEM. */
  readonly cert: string;
  readonly key: string;
  /** Where it listens. */
  readonly host?: string;
}

/** Makes an engine without TLS look like one that insists on it, each by the opening of its own protocol. */
export interface TlsFront {
  /** The engine's URL with the front's address. */
  readonly url: URL;
  /** Resets the clients' connections. */
  cut(): void;
  close(): Promise<void>;
}

export async function createTlsFront(options: TlsFrontOptions): Promise<TlsFront> {
  const { target, protocol, cert, key, host = '127.0.0.1' } = options;
  const { hostname, port } = new URL(target);
  const secureContext = createSecureContext({ cert, key });
  const clients = new Set<Socket>();

  async function open(client: Socket): Promise<void> {
    const engine = createConnection({ host: hostname, port: Number(port) });
    client.on('close', () => engine.destroy());
    engine.on('error', () => client.destroy());
    if (protocol === 'postgres') {
      await once(client, 'data'); // its request for TLS
      client.write('S');
    }
    if (protocol === 'nats') client.write(insistOnTls(await firstLine(engine)));
    const secure = new TLSSocket(client, { isServer: true, secureContext });
    secure.on('error', () => client.destroy());
    secure.pipe(engine).pipe(secure);
  }

  const server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('error', () => client.destroy());
    open(client).catch(() => client.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    get url() {
      const url = new URL(target);
      url.hostname = host;
      url.port = String((server.address() as { port: number }).port);
      return url;
    },
    cut() {
      for (const client of clients) client.resetAndDestroy();
    },
    async close() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** NATS speaks first. */
async function firstLine(engine: Socket): Promise<string> {
  const [chunk] = (await once(engine, 'data')) as [Buffer];
  engine.pause();
  return chunk.toString('latin1');
}

function insistOnTls(info: string): string {
  return info.replace('INFO {', 'INFO {"tls_required":true,');
}
