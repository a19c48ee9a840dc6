import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Redis } from 'ioredis';
import { test } from 'tap';
import {
  createJsonClient,
  createOtlpReceiver,
  createPrivateEngine,
  createTestClock,
  spawnProcess,
  until,
} from '../src/index.ts';

test('until waits for the first truthy value and says what did not come', async (t) => {
  let calls = 0;
  const value = await until(() => {
    calls += 1;
    if (calls === 1) throw new Error('not yet');
    return calls === 3 ? 'here' : undefined;
  });
  t.equal(value, 'here');
  await t.rejects(
    until(() => false, { timeoutMs: 50, what: 'The moon' }),
    /The moon did not hold within 50 ms/,
  );
});

test('the clock moves only when told', (t) => {
  const clock = createTestClock('2026-01-01T00:00:00Z');
  clock.advance(1_500);
  t.equal(clock.date().toISOString(), '2026-01-01T00:00:01.500Z');
  clock.set('2025-12-31T23:00:00Z');
  t.equal(clock.now(), Date.UTC(2025, 11, 31, 23));
  t.end();
});

test('the JSON client gives back whatever came', async (t) => {
  const server = createServer((request, response) => {
    const seen = { method: request.method, authorization: request.headers.authorization };
    if (request.url === '/text') response.writeHead(418).end('no JSON');
    else response.writeHead(409, { 'content-type': 'application/json' }).end(JSON.stringify(seen));
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const client = createJsonClient(`http://127.0.0.1:${port}`, { token: 'abc' });
  const answer = await client.patch('/x', { a: 1 });
  t.match(answer, { status: 409, body: { method: 'PATCH', authorization: 'Bearer abc' } });
  t.match(await client.get('/text'), { status: 418, body: undefined, text: 'no JSON' });
});

test('a spawned process is awaited, read and killed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-process-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const entry = join(folder, 'main.mjs');
  writeFileSync(
    entry,
    `import { createServer } from 'node:http';
     const server = createServer((request, response) => response.writeHead(200).end());
     server.listen({ host: '127.0.0.1', port: Number(process.env.PORT) }, () => {
       console.log(JSON.stringify({ level: 30, msg: 'up', failpoints: process.env.STRONGROOM_FAILPOINTS }));
     });
     process.once('SIGTERM', () => { console.log('bye'); server.close(); });`,
  );
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = probe.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise((resolve) => probe.close(resolve));
  const options = {
    name: 'sample',
    entry,
    env: { PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    failpoints: 'a.b=kill',
  };
  const first = await spawnProcess(options);
  t.match(await first.waitForLog((line) => line.msg === 'up'), { failpoints: 'a.b=kill' });
  t.equal(await first.stop(), 0);
  t.ok(first.logs.some((line) => line.msg === 'bye'));
  const second = await spawnProcess(options);
  await second.kill();
  t.match(await second.exited, { code: null, signal: 'SIGKILL' });
  await t.rejects(
    spawnProcess({ ...options, entry: join(folder, 'missing.mjs'), readyTimeoutMs: 5_000 }),
    /sample ended before it was ready.*missing\.mjs/s,
  );
});

test('the OTLP receiver reads JSON and protobuf alike', async (t) => {
  const receiver = await createOtlpReceiver();
  t.teardown(receiver.close);
  const client = createJsonClient(receiver.url);
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  await client.post('/v1/traces', {
    resourceSpans: [
      {
        resource: { attributes: [attribute('service.name', 'auth')] },
        scopeSpans: [{ spans: [{ traceId: 'aa', spanId: 'bb', name: 'json', kind: 2, attributes: [] }] }],
      },
    ],
  });
  t.match(await receiver.waitForSpan((span) => span.name === 'json'), { service: 'auth', kind: 2, traceId: 'aa' });

  const pair = (key: string, value: string) => {
    const any = new BinaryWriter()
      .uint32((1 << 3) | 2)
      .string(value)
      .finish();
    return new BinaryWriter()
      .uint32((1 << 3) | 2)
      .string(key)
      .uint32((2 << 3) | 2)
      .bytes(any)
      .finish();
  };
  const nest = (field: number, bytes: Uint8Array) =>
    new BinaryWriter()
      .uint32((field << 3) | 2)
      .bytes(bytes)
      .finish();
  const span = Buffer.concat([
    nest(1, Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex')),
    nest(2, Buffer.from('b7ad6b7169203331', 'hex')),
    nest(5, Buffer.from('binary')),
    new BinaryWriter()
      .uint32((6 << 3) | 0)
      .uint32(3)
      .finish(),
    nest(9, pair('db.system', 'postgresql')),
  ]);
  const body = nest(1, Buffer.concat([nest(1, nest(1, pair('service.name', 'payments'))), nest(2, nest(2, span))]));
  await fetch(`${receiver.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(body),
  });
  t.match(await receiver.waitForSpan((one) => one.name === 'binary'), {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    kind: 3,
    service: 'payments',
    attributes: { 'db.system': 'postgresql' },
  });
});

test('a private engine is killed and comes back on the same port', async (t) => {
  const engine = await createPrivateEngine('redis');
  t.teardown(engine.close);
  const client = new Redis(engine.url);
  client.on('error', () => undefined);
  t.equal(await client.ping(), 'PONG');
  const before = engine.pid();
  await engine.kill();
  await engine.start();
  t.not(engine.pid(), before);
  t.equal(await client.ping(), 'PONG', 'a client reconnects by itself');
  client.disconnect();
});

test('a private PostgreSQL keeps what was committed over kill -9', async (t) => {
  const { openSql } = await import('../src/index.ts');
  const engine = await createPrivateEngine('postgres');
  t.teardown(engine.close);
  const sql = openSql(engine.url);
  await sql`create table kept (id int)`;
  await sql`insert into kept values (1)`;
  await engine.kill();
  await engine.start();
  await until(async () => (await sql`select id from kept`).length === 1);
  await sql.end();
});
