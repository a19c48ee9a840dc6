import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { LoginRequestSchema, RegisterRequestSchema } from '@strongroom/gen/strongroom/auth/v1/session_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { createRateLimiter } from '@strongroom/platform/limits';
import { createConcurrencyLimit } from '@strongroom/platform/resilience';
import type { createTestTokens } from '@strongroom/testkit';
import fastify from 'fastify';
import t from 'tap';
import { request } from 'undici';
import { createValidationInterceptor } from '../../src/rpc/interceptors/validation.ts';
import { MethodPipeline } from '../../src/rpc/pipeline.ts';
import { registerStockRoutes } from '../../src/rpc/stock-routes.ts';
import { createMemoryLog, createRoutes, paths, startServer } from './fixture.ts';

/** The same methods served by Connect's own implementation alone: the oracle. */
async function startStockServer(
  handlers: Parameters<typeof createRoutes>[0],
  tokens: ReturnType<typeof createTestTokens>,
) {
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  const options = {
    name: 'stock',
    logger: createMemoryLog().logger,
    authenticator: tokens.authenticator,
    limiter: createRateLimiter(),
    limitRule: { max: 1_000_000, windowMs: 1_000 },
    concurrency: createConcurrencyLimit({ name: 'stock' }),
    validation: createValidationInterceptor(),
  };
  const methods = createRoutes(handlers).routes.flatMap(({ service, implementation }) =>
    service.methods.flatMap((method) => {
      const found = implementation[method.localName];
      return found === undefined ? [] : [{ pipeline: new MethodPipeline(method, options), implementation: found }];
    }),
  );
  registerStockRoutes(app, methods);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}

interface Sent {
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

async function answerOf(url: string, { path = paths.login, headers = {}, body = '' }: Sent) {
  const answer = await request(url + path, { method: 'POST', headers, body });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const type = answer.headers['content-type'];
  const kept = ['content-type', 'content-encoding', 'content-length', 'x-set', 'trailer-x-later', 'set-cookie'];
  return {
    status: answer.statusCode,
    headers: Object.fromEntries(kept.map((name) => [name, answer.headers[name]])),
    body:
      type === 'application/json' && answer.headers['content-encoding'] === undefined
        ? JSON.parse(bytes.toString())
        : bytes.toString('hex'),
  };
}

const json = { 'content-type': 'application/json' };
const proto = { 'content-type': 'application/proto' };
const login = { email: 'ann@example.com', password: 'p' };
const loginBytes = Buffer.from(toBinary(LoginRequestSchema, create(LoginRequestSchema, login)));
const loginJson = JSON.stringify(login);
const longName = create(RegisterRequestSchema, {
  email: 'a@example.com',
  password: 'p'.repeat(12),
  name: 'n'.repeat(200),
});

const cases: Record<string, Sent> = {
  JSON: { headers: json, body: loginJson },
  'JSON with a charset': { headers: { 'content-type': 'application/json; charset=utf-8' }, body: loginJson },
  'JSON with another charset': { headers: { 'content-type': 'application/json; charset=latin1' }, body: loginJson },
  'a content type in capitals': { headers: { 'content-type': 'APPLICATION/JSON' }, body: loginJson },
  binary: { headers: proto, body: loginBytes },
  'empty binary': { headers: proto },
  'empty JSON': { headers: json },
  'an empty JSON object': { headers: json, body: '{}' },
  'JSON null': { headers: json, body: 'null' },
  'a JSON list': { headers: json, body: '[]' },
  'JSON of a wrong type': { headers: json, body: '{"email":1}' },
  'broken JSON': { headers: json, body: '{"email":' },
  'JSON that is not UTF-8': { headers: json, body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) },
  'an unknown JSON field': { headers: json, body: '{"emailAddress":"x"}' },
  'JSON by proto names': { headers: json, body: JSON.stringify({ ...login, device_token: 'd' }) },
  'a JSON field twice': { headers: json, body: '{"email":"a@example.com","email":"b@example.com","password":"p"}' },
  'JSON nested too deeply': { headers: json, body: `{"email":${'['.repeat(20_000)}${']'.repeat(20_000)}}` },
  'a lone surrogate': { headers: json, body: '{"email":"\\ud800","password":"p"}' },
  'NUL in a text': { headers: json, body: '{"email":"a\\u0000@example.com","password":"p"}' },
  'an unknown binary field': { headers: proto, body: Buffer.concat([loginBytes, Buffer.from('fa0703616263', 'hex')]) },
  'binary cut off': { headers: proto, body: loginBytes.subarray(0, -1) },
  'binary of nothing': { headers: proto, body: Buffer.from('ffffffffffffffffff', 'hex') },
  'binary text that is not UTF-8': { headers: proto, body: Buffer.from('0a02c328', 'hex') },
  'binary with a length beyond its end': { headers: proto, body: Buffer.from('0affffffff0f', 'hex') },
  'binary group nesting': { headers: proto, body: Buffer.from('0b'.repeat(5_000), 'hex') },
  'JSON sent as binary': { headers: proto, body: loginJson },
  'binary sent as JSON': { headers: json, body: loginBytes },
  'rules broken': { headers: json, body: JSON.stringify({ email: '', password: 'x'.repeat(300) }) },
  gzip: { headers: { ...proto, 'content-encoding': 'gzip' }, body: gzipSync(loginBytes) },
  brotli: { headers: { ...json, 'content-encoding': 'br' }, body: brotliCompressSync(loginJson) },
  identity: { headers: { ...json, 'content-encoding': 'identity' }, body: loginJson },
  'an unknown encoding': { headers: { ...json, 'content-encoding': 'zstd' }, body: loginJson },
  'gzip that is none': { headers: { ...json, 'content-encoding': 'gzip' }, body: loginJson },
  'gzip cut off': { headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(loginJson).subarray(0, 20) },
  'a decompression bomb': {
    headers: { ...json, 'content-encoding': 'gzip' },
    body: gzipSync(Buffer.alloc(50_000_000)),
  },
  'an answer compressed': {
    path: paths.register,
    headers: { ...proto, 'accept-encoding': 'gzip' },
    body: Buffer.from(toBinary(RegisterRequestSchema, longName)),
  },
  'an answer not worth compressing': { headers: { ...json, 'accept-encoding': 'gzip' }, body: loginJson },
  'no encoding that is known': { headers: { ...json, 'accept-encoding': 'zstd, *' }, body: loginJson },
  'a body over the limit': { headers: json, body: `{"email":"${'a'.repeat(70_000)}"}` },
  'a body at the limit': {
    headers: proto,
    body: Buffer.concat([
      loginBytes,
      Buffer.from([0xa2, 0x06, ...varint(65_536 - loginBytes.length - 5)]),
      Buffer.alloc(65_536 - loginBytes.length - 5),
    ]),
  },
  'no token': { path: paths.getMe, headers: json, body: '{}' },
  'no token and no message': { path: paths.getMe, headers: json, body: '{' },
  'no token and a huge body': { path: paths.getMe, headers: json, body: 'x'.repeat(70_000) },
  'a timeout': { headers: { ...json, 'connect-timeout-ms': '1000' }, body: loginJson },
  'a timeout that is none': { headers: { ...json, 'connect-timeout-ms': '-1' }, body: loginJson },
  'a timeout too long to read': { headers: { ...json, 'connect-timeout-ms': '12345678901' }, body: loginJson },
  'the protocol version': { headers: { ...json, 'connect-protocol-version': '1' }, body: loginJson },
  'another protocol version': { headers: { ...json, 'connect-protocol-version': '2' }, body: loginJson },
  'headers, trailers and cookies': { headers: json, body: JSON.stringify({ ...login, email: 'headers@example.com' }) },
  'an error with headers': { headers: json, body: JSON.stringify({ ...login, email: 'error@example.com' }) },
  'an unforeseen error': { headers: json, body: JSON.stringify({ ...login, email: 'bug@example.com' }) },
  'an answer that is no message': { headers: json, body: JSON.stringify({ ...login, email: 'odd@example.com' }) },
};

/** Everything else is the sender's fault, so never a 5xx (B-errors); Connect's own status for `unimplemented` is 501. */
const faultsOfOurs = new Set(['an unforeseen error', 'an answer that is no message']);

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) return bytes;
  }
}

const handlers = {
  login({ email }: { email: string }, call: { responseHeader: Headers; responseTrailer: Headers }) {
    if (email === 'headers@example.com' || email === 'error@example.com') {
      call.responseHeader.set('x-set', 'now');
      call.responseHeader.append('set-cookie', 'a=1');
      call.responseHeader.append('set-cookie', 'b=2');
      call.responseTrailer.set('x-later', 'then');
    }
    if (email === 'error@example.com') throw commonErrors.CONFLICT({ retryAfterMs: 10 });
    if (email === 'bug@example.com') throw new RangeError('postgres://secret@db');
    if (email === 'odd@example.com') return { deviceToken: 5 };
    return { deviceToken: email };
  },
  register: ({ name }: { name: string }) => ({ verification: name.repeat(20) }),
};

t.test('B-fast: the fast path answers as the stock implementation, whatever is sent', async (t) => {
  const server = await startServer({ handlers: handlers as never });
  const stock = await startStockServer(handlers as never, server.tokens);
  t.teardown(() => Promise.all([server.close(), stock.close()]));
  for (const [name, sent] of Object.entries(cases)) {
    const [fast, oracle] = [await answerOf(server.url, sent), await answerOf(stock.url, sent)];
    t.same(fast, oracle, name);
    if (!faultsOfOurs.has(name))
      t.ok(fast.status < 500 || fast.body.code === 'unimplemented', `${name} is no fault of ours`);
  }
});

t.test('B-fast: … and random bytes too', async (t) => {
  const server = await startServer();
  const stock = await startStockServer({}, server.tokens);
  t.teardown(() => Promise.all([server.close(), stock.close()]));
  for (let round = 0; round < 300; round++) {
    const noise = randomBytes(round % 40);
    const flipped = Buffer.from(round % 2 === 0 ? loginBytes : loginJson);
    flipped[round % flipped.length] = noise[0] ?? 0;
    for (const body of [noise, flipped]) {
      const isBinary = round % 2 === 0;
      const sent = { headers: isBinary ? proto : json, body };
      if (!isBinary && !isUtf8(body)) {
        // The one difference that is meant: JSON is UTF-8 (RFC 8259 section 8.1), and guessing at it loses what was said.
        if ((await answerOf(server.url, sent)).status !== 400) t.fail(`taken: ${body.toString('hex')}`);
        continue;
      }
      const [fast, oracle] = [await answerOf(server.url, sent), await answerOf(stock.url, sent)];
      if (JSON.stringify(fast) !== JSON.stringify(oracle)) t.same(fast, oracle, body.toString('hex'));
      if (fast.status >= 500) t.fail(`${fast.status} for ${body.toString('hex')}`);
    }
  }
  t.ok(t.passing(), '600 bodies');
});
