import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import { cors as connectCors } from '@connectrpc/connect';
import { HttpBodySchema } from '@strongroom/gen/google/api/httpbody_pb.ts';
import t from 'tap';
import { rawSecurityHeaders } from '../src/edge/security-headers.ts';
import { closeTestRedis, handler, paymentId, startGateway, startMesh } from './fixture.ts';
import { sendRaw } from './raw-http.ts';

const folder = mkdtempSync(join(tmpdir(), 'console-'));
mkdirSync(join(folder, 'assets'));
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Console</title>');
writeFileSync(join(folder, 'assets', 'app-1234.js'), 'console.log(1)');
writeFileSync(join(folder, 'assets', 'app-1234.js.br'), brotliCompressSync('console.log(1)'));
writeFileSync(join(folder, '.secret'), 'secret');

const files: string[] = [];
const mesh = await startMesh({
  payments: { getPayment: handler((request) => ({ payment: { id: request.id } })) },
  admin: {
    getTile: handler((request, call) => {
      files.push(`${request.path} ${call.caller}`);
      return { file: create(HttpBodySchema, { contentType: 'text/plain; charset=utf-8', data: Buffer.from('tile') }) };
    }),
  },
});
const gateway = await startGateway(mesh, {
  variables: { CORS_ORIGINS: 'https://app.example', CONSOLE_FOLDER: folder },
});
const headers = { authorization: `Bearer ${mesh.tokens.token()}` };
const fetchPath = (path: string, init: RequestInit = {}) =>
  fetch(`${gateway.url}${path}`, { redirect: 'manual', ...init, headers: { ...headers, ...(init.headers as object) } });
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
  rmSync(folder, { recursive: true });
});

const everywhere: [path: string, status: number, init?: RequestInit][] = [
  [`/api/v1/payments/${paymentId}`, 200],
  ['/api/v1/payments', 405, { method: 'PUT' }],
  ['/api/v1/nothing', 404],
  ['/api/v1/payments', 400, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }],
  ['/api/v1/payments', 204, { method: 'OPTIONS' }],
  ['/livez', 200],
  ['/openapi.json', 200],
  ['/.well-known/jwks.json', 200],
  ['/tlog/checkpoint', 200],
  ['/api/v1/tlog/checkpoint', 200],
  ['/reference', 301],
  ['/reference/', 200],
  ['/reference/js/scalar.js', 200],
  ['/console', 301],
  ['/console/', 200],
  ['/console/assets/app-1234.js', 200],
];

/** What differs on pages that a browser shows, and on answers that may be kept. */
const ownPolicy = /^\/(?:reference|console)/;

t.test('S6.1, V3.4, older fault 52: security headers on every answer of every kind', async (t) => {
  for (const [path, status, init] of everywhere) {
    const answer = await fetchPath(path, init);
    await answer.arrayBuffer();
    t.equal(answer.status, status, path);
    for (const [name, value] of Object.entries(rawSecurityHeaders)) {
      const isOwn = (name === 'content-security-policy' && ownPolicy.test(path)) || name === 'cache-control';
      if (!isOwn) t.equal(answer.headers.get(name), value, `${path}: ${name}`);
    }
    const policy = answer.headers.get('content-security-policy') ?? '';
    for (const directive of ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
      t.ok(policy.includes(directive), `${path}: ${directive}`);
    }
    t.notMatch(policy, /unsafe-eval|https?:|\*/, `${path}: nothing from elsewhere`);
    t.match(answer.headers.get('x-request-id'), /^[0-9a-f-]{36}$/, `${path}: request id`);
    t.equal(answer.headers.get('set-cookie'), null, 'V3.3: no cookies');
    t.equal(answer.headers.get('server'), null);
    t.equal(answer.headers.get('x-powered-by'), null);
  }
});

t.test('S6.1: what is written past Fastify carries the same headers', async (t) => {
  const raw = await sendRaw(gateway.port, 'nonsense\r\n\r\n');
  const ordinary = await fetchPath('/api/v1/nothing');
  for (const [name, value] of Object.entries(rawSecurityHeaders)) {
    t.equal(raw.headers.get(name), value, name);
    t.equal(ordinary.headers.get(name), value, name);
  }
  const own = new Set(['content-type', 'content-length', 'date', 'connection', 'keep-alive', 'x-request-id', 'vary']);
  const names = [...ordinary.headers.keys()].filter((name) => !own.has(name) && !name.startsWith('ratelimit'));
  t.same(names.sort(), Object.keys(rawSecurityHeaders).sort(), 'and Fastify adds no other');
});

t.test('older fault 52: metrics and what else is for operators are not at the public edge', async (t) => {
  for (const path of ['/metrics', '/metrics/', '/api-docs', '/api-docs.json', '/health/deps']) {
    const answer = await fetchPath(path);
    t.equal(answer.status, 404, path);
    t.notMatch(await answer.text(), /^# (?:HELP|TYPE)/m, path);
  }
});

t.test('V3.4: answers of the API are never kept, pages and keys are told how long', async (t) => {
  const kept = async (path: string) => (await fetchPath(path)).headers.get('cache-control');
  t.equal(await kept(`/api/v1/payments/${paymentId}`), 'no-store');
  t.equal(await kept('/healthz'), 'no-store');
  t.equal(await kept('/.well-known/jwks.json'), 'public, max-age=60');
  t.equal(await kept('/console/'), 'no-cache');
  t.match(await kept('/console/assets/app-1234.js'), /immutable/);
  t.equal(await kept('/tlog/checkpoint'), 'no-store');
  t.match(await kept('/tlog/tile/0/x001/067'), /immutable/);
  t.equal(await kept('/tlog/tile/0/x001/067.p/8'), 'no-store');
});

t.test('B-log: files of the log come from admin, in the name of the gateway', async (t) => {
  const answer = await fetchPath('/tlog/tile/entries/000');
  t.equal(await answer.text(), 'tile');
  t.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.equal(files.at(-1), 'tile/entries/000 gateway');
  for (const path of ['/tlog/', '/tlog/tile', '/tlog/other', '/tlog/tile/0/../../x', '/tlog/tile/0/x001%2F..%2F067']) {
    t.equal((await fetchPath(path)).status, 404, path);
  }
});

t.test('B-console: the console is served with its own policy, and nothing outside its folder', async (t) => {
  t.match(await (await fetchPath('/console/')).text(), /Console/);
  t.match(await (await fetchPath('/console/payments/42')).text(), /Console/, 'addresses of its own');
  const script = await fetchPath('/console/assets/app-1234.js');
  t.match(script.headers.get('content-type'), /javascript/);
  t.match(script.headers.get('content-security-policy'), /script-src 'self'.*require-trusted-types-for 'script'/);
  const compressed = await fetchPath('/console/assets/app-1234.js', { headers: { 'accept-encoding': 'br' } });
  t.equal(compressed.headers.get('content-encoding'), 'br', 'as it was laid beside it');
  t.match(compressed.headers.get('content-type'), /javascript/);
  t.equal(await compressed.text(), 'console.log(1)');
  for (const path of [
    '/console/none.js',
    '/console/.secret',
    '/console/assets/..%2f..%2fetc/passwd.js',
    '/console/%2e%2e/x.js',
    '/console/a\\b.js',
  ]) {
    const answer = await fetchPath(path);
    t.equal(answer.status, 404, path);
    t.match(answer.headers.get('content-type'), /problem\+json/, path);
  }
});

t.test('V3.4.2, older fault 52: CORS lets an exact origin of the list in, and a refusal is no error', async (t) => {
  const path = `/api/v1/payments/${paymentId}`;
  const allowed = await fetchPath(path, { headers: { origin: 'https://app.example' } });
  t.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
  t.match(allowed.headers.get('vary'), /Origin/);
  t.equal(allowed.headers.get('access-control-allow-credentials'), null, 'tokens travel in Authorization alone');
  for (const header of [...connectCors.exposedHeaders, 'X-Request-Id', 'Retry-After', 'Idempotency-Replayed']) {
    t.ok(allowed.headers.get('access-control-expose-headers')?.toLowerCase().includes(header.toLowerCase()), header);
  }
  const origins = [
    'https://evil.tld',
    'null',
    'https://app.example.evil.tld',
    'http://app.example',
    'https://app.example:444',
    'https://APP.example',
    'https://app.example/',
    'https://xapp.example',
  ];
  for (const origin of origins) {
    const answer = await fetchPath(path, { headers: { origin } });
    t.equal(answer.status, 200, origin);
    t.equal(answer.headers.get('access-control-allow-origin'), null, origin);
    t.match(answer.headers.get('vary'), /Origin/, origin);
  }
  t.equal(await gateway.metrics.value('http_cors_refused_total'), origins.length);
});

t.test('S6.1: preflights, right for Connect-Web and for REST', async (t) => {
  const preflight = (origin: string, method: string, path = '/strongroom.payments.v1.PaymentsService/GetPayment') =>
    fetchPath(path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'content-type,connect-protocol-version',
      },
    });
  const allowed = await preflight('https://app.example', 'POST');
  t.equal(allowed.status, 204);
  t.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
  const listed = allowed.headers.get('access-control-allow-headers')?.toLowerCase().split(', ') ?? [];
  for (const header of [...connectCors.allowedHeaders, 'authorization', 'idempotency-key']) {
    t.ok(listed.includes(header.toLowerCase()), header);
  }
  const methods = allowed.headers.get('access-control-allow-methods')?.split(', ') ?? [];
  t.same(methods.sort(), ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']);
  t.equal(allowed.headers.get('access-control-max-age'), '600');
  const refused = await preflight('https://evil.tld', 'POST', '/api/v1/payments');
  t.equal(refused.status, 204);
  t.equal(refused.headers.get('access-control-allow-origin'), null);
  t.equal(refused.headers.get('access-control-allow-methods'), null);
});

t.test('S3.1a: the public keys come from auth, and stay while it is away', async (t) => {
  const keys = (await (await fetchPath('/.well-known/jwks.json')).json()) as { keys: { kid: string }[] };
  t.equal(keys.keys[0]?.kid, 'public');
});

t.test('S5.3: health pages', async (t) => {
  t.same(await (await fetchPath('/livez')).json(), { status: 'ok' });
  t.same(await (await fetchPath('/readyz')).json(), { status: 'ok' });
  gateway.health.add('postgres', () => 'down', { required: true, cacheMs: 0 });
  t.equal((await fetchPath('/readyz')).status, 503);
  t.equal((await fetchPath('/livez')).status, 200);
  gateway.health.remove('postgres');
  gateway.health.add('redis', () => 'down', { cacheMs: 0 });
  const degraded = await fetchPath('/healthz');
  t.equal(degraded.status, 200);
  t.match(await degraded.json(), { status: 'degraded', checks: [{ name: 'redis', reason: 'down' }] });
  gateway.health.remove('redis');
});
