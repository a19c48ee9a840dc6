import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { writeDevelopmentCertificates } from '@strongroom/platform/identity';
import { createMetrics } from '@strongroom/platform/telemetry';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { protocolOf } from '../../src/rpc/sniff.ts';
import { createTestIdentities, paths, startServer } from './fixture.ts';
import { writeRevocationList } from './revocation-list.ts';

const body = JSON.stringify({ email: 'a@example.com', password: 'p' });
const http1Request = [
  `POST ${paths.login} HTTP/1.1`,
  'host: test',
  'content-type: application/json',
  `content-length: ${body.length}`,
  'connection: close',
  '',
  body,
].join('\r\n');

/** Everything that the other end says until it hangs up. */
async function conversation(socket: Socket, send: (socket: Socket) => Promise<void> | void): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  await send(socket);
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

/** One byte a write, each on its way before the next one. */
async function writeByteByByte(socket: Socket, bytes: Buffer): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('B-reflect: the first bytes tell the protocol, and not one byte earlier', async (t) => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  for (let length = 0; length < preface.length; length++) t.equal(protocolOf(preface.subarray(0, length)), undefined);
  t.equal(protocolOf(preface), 'http2');
  t.equal(protocolOf(Buffer.concat([preface, Buffer.from('more')])), 'http2');
  for (const text of ['G', 'POST / HTTP/1.1', 'PUT', 'PR0', 'PRI * HTTP/2.1', ' ', '\u0000']) {
    t.equal(protocolOf(Buffer.from(text)), 'http1', text);
  }
  t.equal(protocolOf(Buffer.of(0x16)), 'tls');
});

t.test('B-reflect: HTTP/1.1, HTTP/2 and TLS on one port, byte by byte', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway');
  const server = await startServer({ identity: await tls.identity('auth'), config: { DIRECT_ACCESS: 'loopback' } });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  const answer = await conversation(connectTcp(server.port, '127.0.0.1'), (socket) =>
    writeByteByByte(socket, Buffer.from(http1Request)),
  );
  t.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*a@example\.com/);

  const slow = connectTcp(server.port, '127.0.0.1');
  const session = connectHttp2(server.url, { createConnection: () => byteByByte(slow) });
  const stream = session.request({ ':path': '/livez' });
  const [headers] = await once(stream, 'response');
  t.equal(headers[':status'], 200);
  session.destroy();

  const { ca, cert, key } = (await tls.identity('gateway')).material();
  const raw = connectTcp(server.port, '127.0.0.1');
  const secure = connectTls({
    socket: byteByByte(raw),
    ca,
    cert,
    key,
    servername: 'localhost',
    ALPNProtocols: ['http/1.1'],
  });
  await once(secure, 'secureConnect');
  t.match(await conversation(secure, (socket) => void socket.write(http1Request)), /^HTTP\/1\.1 200 OK/);
});

/** The socket, but what is written to it leaves in single bytes. */
function byteByByte(socket: Socket): Socket {
  socket.setNoDelay(true);
  const write = socket.write.bind(socket) as (chunk: Buffer, done?: () => void) => boolean;
  socket.write = ((chunk: Buffer | string, ...rest: unknown[]) => {
    const bytes = Buffer.from(chunk as Buffer);
    const done = rest.find((one): one is () => void => typeof one === 'function');
    for (const [index, byte] of bytes.entries()) write(Buffer.of(byte), index === bytes.length - 1 ? done : undefined);
    return true;
  }) as typeof socket.write;
  return socket;
}

t.test('B-zero: with direct access off, nothing in clear is answered', async (t) => {
  const tls = await createTestIdentities('auth');
  const server = await startServer({ identity: await tls.identity('auth'), config: { DIRECT_ACCESS: 'off' } });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  for (const text of [
    http1Request,
    'GET /livez HTTP/1.1\r\nhost: a\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'x'.repeat(100),
  ]) {
    t.equal(await conversation(connectTcp(server.port, '127.0.0.1'), (socket) => void socket.write(text)), '');
  }
  t.same(server.seen, []);
});

t.test('B-zero: in production nothing in clear is answered unless it is asked for', async (t) => {
  const server = await startServer({ config: { STRONGROOM_ENV: 'production' } });
  t.teardown(() => server.close());
  t.equal(await conversation(connectTcp(server.port, '127.0.0.1'), (socket) => void socket.write(http1Request)), '');
});

t.test('B-zero: whoever has no certificate of our authority gets no answer', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway');
  const foreign = await createTestIdentities('gateway');
  const server = await startServer({ identity: await tls.identity('auth'), config: { DIRECT_ACCESS: 'off' } });
  t.teardown(async () => {
    await server.close();
    await tls.close();
    await foreign.close();
  });
  const good = (await tls.identity('gateway')).material();
  const bad = (await foreign.identity('gateway')).material();
  const serverCertificate = await readFile(join(tls.folder, 'auth.pem'), 'utf8');
  const attempts: Record<string, ConnectionOptions> = {
    'no certificate': {},
    'a foreign authority': { cert: bad.cert, key: bad.key },
    'a foreign chain that ends in our authority': { cert: `${bad.cert}${good.ca}`, key: bad.key },
    'TLS 1.1': {
      cert: good.cert,
      key: good.key,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    },
    'a cipher without forward secrecy': {
      cert: good.cert,
      key: good.key,
      maxVersion: 'TLSv1.2',
      ciphers: 'AES128-GCM-SHA256',
    },
    'a cipher that is no AEAD': {
      cert: good.cert,
      key: good.key,
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-SHA256',
    },
  };
  t.ok(serverCertificate);
  for (const [name, options] of Object.entries(attempts)) {
    const socket = connectTls({
      port: server.port,
      host: '127.0.0.1',
      ca: good.ca,
      servername: 'localhost',
      ...options,
    });
    const answer = await conversation(socket, (one) => {
      one.on('secureConnect' as never, () => one.write(http1Request));
    });
    t.equal(answer, '', name);
  }
  t.same(server.seen, []);
  const honest = connectTls({ port: server.port, host: '127.0.0.1', servername: 'localhost', ...good });
  t.match(await conversation(honest, (socket) => void socket.write(http1Request)), /^HTTP\/1\.1 200/);
});

t.test('ASVS V16.3.4: a TLS handshake that fails is logged and counted', async (t) => {
  const tls = await createTestIdentities('auth');
  const metrics = createMetrics({ name: 'auth' });
  const server = await startServer({ identity: await tls.identity('auth'), metrics });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  const ca = await readFile(join(tls.folder, 'ca.pem'), 'utf8');
  const socket = connectTls({ port: server.port, host: '127.0.0.1', ca, servername: 'localhost' });
  await conversation(socket, () => undefined);
  const line = await until(() => server.log.entries.find(({ msg }) => msg === 'a TLS handshake failed'));
  t.match(line, { level: 40, code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', address: '127.0.0.1' });
  t.match(await metrics.registry.metrics(), /^tls_handshake_failures_total(\{[^}]*\})? 1$/m);
});

t.test('ASVS V12.1.4: who is on the revocation list is refused, and others are not', async (t) => {
  const tls = await createTestIdentities('auth', 'payments', 'gateway');
  const list = join(tls.folder, 'crl.pem');
  await writeRevocationList(tls.folder, list, []);
  const identity = await tls.identity('auth', { TLS_CRL_FILE: list });
  const server = await startServer({ identity, config: { DIRECT_ACCESS: 'off' } });
  t.teardown(async () => {
    await server.close();
    await tls.close();
  });
  const answerTo = async (name: string) => {
    const { cert, key, ca } = (await tls.identity(name)).material();
    const socket = connectTls({ port: server.port, host: '127.0.0.1', servername: 'localhost', cert, key, ca });
    return conversation(socket, (one) => void one.on('secureConnect' as never, () => one.write(http1Request)));
  };
  t.match(await answerTo('payments'), /^HTTP\/1\.1 200/);
  await writeRevocationList(tls.folder, list, ['payments']);
  t.equal(await identity.reload(), true);
  t.equal(await answerTo('payments'), '', 'revoked');
  t.match(await answerTo('gateway'), /^HTTP\/1\.1 200/);
  await writeRevocationList(tls.folder, list, [], new Date(Date.now() - 1_000));
  t.equal(await identity.reload(), true);
  t.equal(await answerTo('gateway'), '', 'a list that is out of date vouches for nobody');
  await writeFile(list, 'no list');
  t.equal(await identity.reload(), false, 'what is no list is not taken');
});

t.test(
  'B-zero: a renewed certificate is used without a restart, also when only half of it is there at first',
  async (t) => {
    const tls = await createTestIdentities('auth', 'gateway');
    const identity = await tls.identity('auth');
    const server = await startServer({ identity, config: { DIRECT_ACCESS: 'off' } });
    t.teardown(async () => {
      await server.close();
      await tls.close();
    });
    const client = (await tls.identity('gateway')).material();
    const serialOf = async (): Promise<string> => {
      const socket = connectTls({ port: server.port, host: '127.0.0.1', servername: 'localhost', ...client });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serialOf();
    t.equal(await identity.reload(), false, 'nothing has changed');
    const { rm, copyFile } = await import('node:fs/promises');
    const key = join(tls.folder, 'auth.key.pem');
    await copyFile(key, `${key}.old`);
    await rm(join(tls.folder, 'auth.pem'));
    await writeDevelopmentCertificates(tls.folder, ['auth']);
    await copyFile(key, `${key}.new`);
    await copyFile(`${key}.old`, key);
    t.equal(await identity.reload(), false, 'a certificate with another key is not taken');
    t.equal(await serialOf(), before);
    await copyFile(`${key}.new`, key);
    t.equal(await identity.reload(), true);
    t.not(await serialOf(), before);
  },
);

t.test('S6.1: helmet’s headers on every answer, of whichever route', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const post = (type: string, text: string) => ({ method: 'POST', headers: { 'content-type': type }, body: text });
  const answers = {
    fast: await fetch(server.url + paths.login, post('application/json', body)),
    'fast error': await fetch(server.url + paths.login, post('application/json', '{')),
    stock: await fetch(server.url + paths.login, post('application/grpc-web+proto', '')),
    'unknown type': await fetch(server.url + paths.login, post('text/plain', '')),
    unknown: await fetch(`${server.url}/nothing`),
    health: await fetch(`${server.url}/livez`),
    reflection: await fetch(`${server.url}/grpc.health.v1.Health/Check`, post('application/json', '{}')),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const { headers } = answer;
    t.equal(
      headers.get('content-security-policy'),
      "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
      name,
    );
    t.equal(headers.get('x-content-type-options'), 'nosniff', name);
    t.equal(headers.get('strict-transport-security'), 'max-age=31536000; includeSubDomains', name);
    t.equal(headers.get('referrer-policy'), 'no-referrer', name);
    t.equal(headers.get('x-frame-options'), 'DENY', name);
    for (const leak of ['server', 'x-powered-by', 'via']) t.equal(headers.get(leak), null, `${name} ${leak}`);
  }
});

t.test('S6.3: addresses and headers have their bounds', async (t) => {
  const server = await startServer();
  t.teardown(() => server.close());
  const status = (head: string) =>
    conversation(connectTcp(server.port, '127.0.0.1'), (socket) => void socket.write(head)).then((answer) =>
      answer.slice(9, 12),
    );
  t.equal(await status(`GET /${'a'.repeat(9_000)} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`), '414');
  t.equal(await status(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(17_000)}\r\n\r\n`), '431');
  t.equal(await status('GET / HTTP/1.1\r\nconnection: close\r\n\r\n'), '400', 'no host');
  t.equal(
    await status('GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'),
    '400',
    'smuggling',
  );
  t.equal(await status('GET / HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n'), '400');
  t.equal(server.app.server.headersTimeout, 10_000);
});

t.test('S5.3: closing ends what is idle at once and waits for what runs', async (t) => {
  const running = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const server = await startServer({
    handlers: {
      async login() {
        started.resolve();
        await running.promise;
        return { deviceToken: 'done' };
      },
    },
  });
  const idle = connectTcp(server.port, '127.0.0.1');
  await once(idle, 'connect');
  idle.write('GET /livez HTTP/1.1\r\nhost: a\r\n\r\n');
  await once(idle, 'data');
  const session = connectHttp2(server.url);
  await once(session, 'connect');
  const client = createClient(AuthService, createConnectTransport({ baseUrl: server.url, httpVersion: '1.1' }));
  const answer = client.login({ email: 'a@example.com', password: 'p' });
  await started.promise;
  const closed = server.close();
  await Promise.all([once(idle, 'close'), once(session, 'close')]);
  running.resolve();
  t.equal((await answer).deviceToken, 'done');
  await closed;
});

t.test('S6.3: an answer before the end of the body leaves no connection behind', async (t) => {
  const clients = {
    'fast over HTTP/1.1': (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
    'fast over HTTP/2': (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '2' }),
    gRPC: (baseUrl: string) => createGrpcTransport({ baseUrl }),
    'gRPC-Web': (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  };
  for (const [name, createTransport] of Object.entries(clients)) {
    const server = await startServer();
    const cutOff = t.capture(server.app.server, 'closeAllConnections');
    const auth = createClient(AuthService, createTransport(server.url));
    await t.rejects(auth.login({ email: 'a'.repeat(3_000_000), password: 'p' }), { message: /larger/ }, name);
    await server.close();
    t.same(cutOff(), [], `${name}: closed by itself`);
  }
});
