import { randomInt } from 'node:crypto';
import { createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export const loopback = '127.0.0.1';
const probeTimeoutMs = 1_000;
const probeIntervalMs = 25;
/**
 * Below what systems hand out by themselves (Linux from 32768, others from 49152): between our finding a port free and
 * a server's taking it, no outgoing connection and no `listen(0)` can get it.
 */
const portRange = { first: 16_384, end: 32_768 };
/** Where this process looks next. From its own place on, so that two that start at once don't meet. */
let nextPort = randomInt(portRange.first, portRange.end);

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

/** The preferred port when it is free, so that URLs stay the same over restarts; otherwise one not given out before. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isPortFree(preferred))) return preferred;
  for (let tried = portRange.first; tried < portRange.end; tried += 1) {
    const port = nextPort;
    nextPort = port + 1 < portRange.end ? port + 1 : portRange.first;
    if (await isPortFree(port)) return port;
  }
  throw new Error(`No free port on ${loopback}.`);
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: loopback, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
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
