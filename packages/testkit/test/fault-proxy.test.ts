import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { test } from 'tap';
import { createFaultProxy, until } from '../src/index.ts';

async function echoServer(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, close: () => void server.close() };
}

async function dial(port: number): Promise<Socket & { received: string; failed?: Error }> {
  const socket = Object.assign(createConnection({ host: '127.0.0.1', port }), { received: '' }) as Socket & {
    received: string;
    failed?: Error;
  };
  socket.on('data', (chunk) => {
    socket.received += chunk.toString();
  });
  socket.on('error', (error) => {
    socket.failed = error;
  });
  await once(socket, 'connect');
  return socket;
}

test('the proxy delays, holds back, cuts and refuses', async (t) => {
  const server = await echoServer();
  const proxy = await createFaultProxy({ target: server.port });
  t.teardown(async () => {
    await proxy.close();
    server.close();
  });
  t.equal(proxy.urlFor('postgres://u:p@127.0.0.1:5432/db'), `postgres://u:p@127.0.0.1:${proxy.port}/db`);

  const socket = await dial(proxy.port);
  socket.write('one ');
  await until(() => socket.received === 'one ');

  proxy.delay(80);
  const began = performance.now();
  socket.write('two ');
  await until(() => socket.received === 'one two ');
  t.ok(performance.now() - began >= 150, 'late in both directions');
  proxy.delay(0);

  proxy.halfOpen();
  socket.write('three ');
  const other = await dial(proxy.port);
  other.write('hello');
  await proxyIsQuiet(socket, other);
  t.equal(socket.received, 'one two ', 'nothing gets through');
  t.equal(other.received, '', 'new connections neither');
  t.notOk(socket.destroyed, 'nobody sees an end');
  proxy.heal();
  await until(() => socket.received === 'one two three ' && other.received === 'hello');

  proxy.cut();
  await until(() => socket.failed !== undefined && other.failed !== undefined);
  const again = await dial(proxy.port);
  again.write('still');
  await until(() => again.received === 'still');

  proxy.refuse();
  await until(() => again.failed !== undefined);
  const refused = createConnection({ host: '127.0.0.1', port: proxy.port });
  refused.on('error', () => undefined);
  await new Promise((resolve) => refused.once('close', resolve));
  await until(() => proxy.connectionCount() === 0);

  proxy.heal();
  const healed = await dial(proxy.port);
  healed.end('bye');
  await once(healed, 'end');
  t.equal(healed.received, 'bye', 'an end travels too');
});

/** Another pair on the same event loop has echoed many times: whatever would come through has come by then. */
async function proxyIsQuiet(...sockets: Socket[]): Promise<void> {
  const server = await echoServer();
  const probe = await dial(server.port);
  for (let round = 1; round <= 20; round += 1) {
    probe.write('.');
    await until(() => probe.received.length === round);
  }
  probe.destroy();
  server.close();
  for (const socket of sockets) socket.resume();
}
