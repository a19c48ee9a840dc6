import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { serviceNameOf } from '../identity/index.ts';
import { plainAddress } from './server-call.ts';

const callers = new WeakMap<Socket, string | undefined>();

/** The service at the other end, out of its verified certificate; looked at once for each connection. */
export function callerOf(socket: Socket): string | undefined {
  if (callers.has(socket)) return callers.get(socket);
  const caller = readCaller(socket);
  callers.set(socket, caller);
  return caller;
}

function readCaller(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : serviceNameOf(certificate);
}

export function isLoopback(address: string | undefined): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || plain.startsWith('127.');
}
