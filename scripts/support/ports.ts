import { createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export const loopback = '127.0.0.1';
const probeTimeoutMs = 1_000;
const probeIntervalMs = 25;

/** Is anybody listening on the port of 127.0.0.1? */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: loopback, port, timeout: probeTimeoutMs });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

function canBind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: loopback, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

/** The preferred port when it is free, so that URLs stay the same over restarts; otherwise one that the system picks. */
export async function freePort(preferred?: number): Promise<number> {
  const kept = preferred === undefined ? undefined : await canBind(preferred);
  const port = kept ?? (await canBind(0));
  if (port === undefined) throw new Error(`No free port on ${loopback}.`);
  return port;
}

export async function isPortFree(port: number): Promise<boolean> {
  return (await canBind(port)) !== undefined;
}

/** Polls until the probe answers, and gives up early when `isAlive` says that the process behind it has ended. */
export async function waitFor(
  probe: () => Promise<boolean>,
  options: { timeoutMs: number; isAlive?: () => boolean },
): Promise<'ready' | 'ended' | 'timeout'> {
  const deadline = Date.now() + options.timeoutMs;
  while (Date.now() < deadline) {
    if (await probe()) return 'ready';
    if (options.isAlive && !options.isAlive()) return 'ended';
    await delay(probeIntervalMs);
  }
  return 'timeout';
}
