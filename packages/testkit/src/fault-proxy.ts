import { createConnection, createServer, type Socket } from 'node:net';

export interface FaultProxyOptions {
  /** Where connections go when nothing is broken: a port of 127.0.0.1, `host:port` or a URL; of several, each in turn. */
  target: number | string | readonly string[];
}

/** Stands between a client and a server and breaks the wire between them. */
export interface FaultProxy {
  readonly port: number;
  /** The given URL with this proxy's host and port in place of the server's. */
  urlFor(url: string): string;
  /** Every chunk arrives this much later, in both directions. 0 ends it. */
  delay(ms: number): void;
  /** Resets all connections now; new ones still work. */
  cut(): void;
  /** The cable is pulled: nobody sees an end, nothing gets through until `heal`, which delivers what was held back. */
  halfOpen(): void;
  /** Resets all connections and all that come, as a stopped server would. */
  refuse(): void;
  heal(): void;
  /** Connections through the proxy at this moment. */
  connectionCount(): number;
  close(): Promise<void>;
}

type Mode = 'open' | 'half-open' | 'refuse';

export async function createFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const targets = [options.target].flat().map(targetOf);
  let next = 0;
  const nextTarget = () => {
    const target = targets[next % targets.length];
    next += 1;
    return target ?? targetOf(0);
  };
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: Mode = 'open';
  let delayMs = 0;

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (mode === 'refuse') {
      client.on('error', () => undefined);
      resetSocket(client);
      return;
    }
    const upstream = createConnection({ ...nextTarget(), allowHalfOpen: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    link(client, upstream);
    link(upstream, client);
    if (mode === 'half-open') hold(pair);
  });

  function link(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    // Chunks and the end keep their order, whatever the delay is when they come.
    const later = (act: () => void) => {
      if (delayMs === 0) {
        last = last.then(act);
      } else {
        const until = new Promise<void>((resolve) => setTimeout(resolve, delayMs));
        last = last.then(() => until).then(act);
      }
    };
    from.setNoDelay(true);
    from.on('data', (chunk) => later(() => !to.destroyed && to.write(chunk)));
    from.on('end', () => later(() => to.end()));
    from.on('error', () => resetSocket(to));
    from.on('close', () => {
      for (const pair of pairs) {
        if (pair.includes(from) && pair[0].destroyed && pair[1].destroyed) pairs.delete(pair);
      }
      if (from.readableEnded) return;
      to.destroy();
    });
  }

  function reset(): void {
    for (const pair of [...pairs]) {
      for (const socket of pair) resetSocket(socket);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    port,
    urlFor(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(port);
      return changed.href;
    },
    delay(ms) {
      delayMs = ms;
    },
    cut: reset,
    halfOpen() {
      mode = 'half-open';
      for (const pair of pairs) hold(pair);
    },
    refuse() {
      mode = 'refuse';
      reset();
    },
    heal() {
      mode = 'open';
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    connectionCount: () => pairs.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        reset();
      }),
  };
}

/**
 * Sends RST. libuv refuses that while a FIN is on its way (uv_tcp_close_reset: EINVAL), and Node 24 then keeps the handle for
 * good: the process spins at its end. Such a socket is closed the ordinary way.
 */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function hold(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.pause();
}

function targetOf(target: number | string): { host: string; port: number } {
  if (typeof target === 'number') return { host: '127.0.0.1', port: target };
  const url = new URL(target.includes('://') ? target : `tcp://${target}`);
  return { host: url.hostname, port: Number(url.port) };
}
