import { once } from 'node:events';
import { connect } from 'node:net';
import { createJsonClient } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { HEADERS_MAX_BYTES, URL_MAX_BYTES } from '../src/edge/bounds.ts';
import { rawSecurityHeaders } from '../src/edge/security-headers.ts';
import { closeTestRedis, handler, newKey, paymentBody, paymentId, startGateway, startMesh } from './fixture.ts';
import { type RawAnswer, sendRaw } from './raw-http.ts';

let createCount = 0;
const mesh = await startMesh({
  payments: {
    createPayment: handler(() => {
      createCount++;
      return { payment: { id: paymentId } };
    }),
    getPayment: handler((request) => ({ payment: { id: request.id } })),
    listPayments: handler(() => ({})),
  },
});
const gateway = await startGateway(mesh, {
  variables: { EDGE_HEADERS_TIMEOUT_MS: '400', EDGE_REQUEST_TIMEOUT_MS: '1500' },
});
const { port } = gateway;
const token = mesh.tokens.token();
const auth = `Authorization: Bearer ${token}\r\n`;
const client = createJsonClient(gateway.url, { token });
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
});

const problemFields = ['type', 'title', 'status', 'detail', 'instance', 'code', 'requestId', 'retry', 'errors'];

/** Every refusal is one of these, whoever made it. */
function isProblem(t: Test, answer: RawAnswer, status: number, code: string, name: string): void {
  t.equal(answer.status, status, `${name}: status`);
  t.match(answer.headers.get('content-type'), /^application\/problem\+json/, `${name}: content type`);
  const body = JSON.parse(answer.body) as Record<string, unknown>;
  t.same(Object.keys(body), problemFields, `${name}: fields`);
  t.match(body, { status, code, requestId: answer.headers.get('x-request-id') }, `${name}: code`);
  for (const field of Object.keys(rawSecurityHeaders)) t.ok(answer.headers.has(field), `${name}: ${field}`);
}

const post = (extra: string, body: string, path = '/api/v1/payments'): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${auth}Connection: close\r\n${extra}\r\n${body}`;
const get = (target: string, extra = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${extra}\r\n`;
const json = 'Content-Type: application/json\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n';
const lengthOf = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n`;
const filler = (bytes: number): string => 'a'.repeat(bytes);

const refusals: [name: string, request: string, status: number, code: string][] = [
  ['unknown path', get('/nothing'), 404, 'ROUTE_NOT_FOUND'],
  ['unknown API path', get('/api/v1/nothing'), 404, 'ROUTE_NOT_FOUND'],
  ['no version', get('/api/payments'), 404, 'ROUTE_NOT_FOUND'],
  ['wrong method', post('Content-Length: 0\r\n', '', '/api/v1/ledger/balances'), 405, 'METHOD_NOT_ALLOWED'],
  ['TRACE', get('/api/v1/payments').replace('GET', 'TRACE'), 405, 'METHOD_NOT_ALLOWED'],
  ['TRACE of nothing', get('/nothing').replace('GET', 'TRACE'), 404, 'ROUTE_NOT_FOUND'],
  ['PROPFIND', get('/api/v1/payments').replace('GET', 'PROPFIND'), 405, 'METHOD_NOT_ALLOWED'],
  ['CONNECT', 'CONNECT host:443 HTTP/1.1\r\nHost: host:443\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  ['unknown method', get('/api/v1/payments').replace('GET', 'BREW'), 400, 'MALFORMED_REQUEST'],
  ['POST to a page', post('Content-Length: 0\r\n', '', '/livez'), 405, 'METHOD_NOT_ALLOWED'],
  ['no page', get('/reference/nothing'), 404, 'ROUTE_NOT_FOUND'],
  ['no log file', get('/tlog/../secret'), 404, 'ROUTE_NOT_FOUND'],
  ['bad percent-encoding', get('/api/v1/payments/%zz'), 400, 'MALFORMED_REQUEST'],
  ['bad percent-encoding on a page', get('/reference/%zz'), 400, 'MALFORMED_REQUEST'],
  ['bad UTF-8', get('/api/v1/payments/%ff'), 400, 'MALFORMED_REQUEST'],
  ['unknown query parameter', get('/api/v1/payments?x=1', auth), 400, 'VALIDATION_FAILED'],
  ['double parameter', get('/api/v1/payments?pageSize=1&page_size=1', auth), 400, 'VALIDATION_FAILED'],
  ['bad JSON', post(`${json}${lengthOf('{')}`, '{'), 400, 'MALFORMED_REQUEST'],
  ['duplicate key', post(`${json}${lengthOf('{"type":1,"type":1}')}`, '{"type":1,"type":1}'), 400, 'MALFORMED_REQUEST'],
  ['prototype key', post(`${json}${lengthOf('{"__proto__":{}}')}`, '{"__proto__":{}}'), 400, 'MALFORMED_REQUEST'],
  ['unknown field', post(`${json}${lengthOf('{"x":1}')}`, '{"x":1}'), 400, 'VALIDATION_FAILED'],
  ['too deep', post(`${json}${lengthOf('['.repeat(999))}`, '['.repeat(999)), 400, 'MALFORMED_REQUEST'],
  ['declared too large', post(`${json}Content-Length: 65537\r\n`, ''), 413, 'BODY_TOO_LARGE'],
  ['far too large', post(`${json}Content-Length: 99999999999\r\n`, ''), 413, 'BODY_TOO_LARGE'],
  [
    'chunked too large',
    post(`${json}Transfer-Encoding: chunked\r\n`, `10001\r\n${filler(65_537)}\r\n0\r\n\r\n`),
    413,
    'BODY_TOO_LARGE',
  ],
  ['long URL', get(`/api/v1/payments?pageToken=${filler(URL_MAX_BYTES)}`), 414, 'URI_TOO_LONG'],
  ['very long URL', get(`/api/v1/payments?pageToken=${filler(60_000)}`), 414, 'URI_TOO_LONG'],
  ['large header', get('/api/v1/payments', `X-Large: ${filler(HEADERS_MAX_BYTES)}\r\n`), 431, 'HEADERS_TOO_LARGE'],
  ['very large header', get('/api/v1/payments', `X-Large: ${filler(60_000)}\r\n`), 431, 'HEADERS_TOO_LARGE'],
  ['many headers', get('/api/v1/payments', 'A: b\r\n'.repeat(120)), 431, 'HEADERS_TOO_LARGE'],
  ['text/plain', post(`Content-Type: text/plain\r\n${lengthOf('{}')}`, '{}'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'form',
    post(`Content-Type: application/x-www-form-urlencoded\r\n${lengthOf('a=b')}`, 'a=b'),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['no content type', post(lengthOf('{}'), '{}'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['no valid content type', post(`Content-Type: ;;\r\n${lengthOf('{}')}`, '{}'), 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['gzip', post(`${json}Content-Encoding: gzip\r\n${lengthOf('{}')}`, '{}'), 415, 'UNSUPPORTED_ENCODING'],
  ['coded transfer', post(`${json}Transfer-Encoding: gzip, chunked\r\n`, '0\r\n\r\n'), 415, 'UNSUPPORTED_ENCODING'],
  ['expectation', get('/api/v1/payments', 'Expect: miracles\r\n'), 417, 'EXPECTATION_FAILED'],
  ['no Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'MALFORMED_REQUEST'],
  ['two Hosts', get('/livez', 'Host: y\r\n'), 400, 'MALFORMED_REQUEST'],
  ['bad Host', get('/reference').replace('Host: x', 'Host: a b/c'), 400, 'MALFORMED_REQUEST'],
  ['body in a GET', get('/api/v1/payments', `${auth}Content-Length: 2\r\n`).concat('{}'), 400, 'MALFORMED_REQUEST'],
  ['two lengths', post(`${json}Content-Length: 2\r\nContent-Length: 3\r\n`, '{}'), 400, 'MALFORMED_REQUEST'],
  [
    'length and chunks',
    post(`${json}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n`, '0\r\n\r\n'),
    400,
    'MALFORMED_REQUEST',
  ],
  ['lengths in a list', post(`${json}Content-Length: 2, 2\r\n`, '{}'), 400, 'MALFORMED_REQUEST'],
  ['length with a sign', post(`${json}Content-Length: +2\r\n`, '{}'), 400, 'MALFORMED_REQUEST'],
  ['chunks after all', post(`${json}Transfer-Encoding: chunked, identity\r\n`, '0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  ['chunked by another name', post(`${json}Transfer-Encoding: xchunked\r\n`, '0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  ['chunked twice', post(`${json}${chunked}${chunked}`, '0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  ['no chunk size', post(`${json}${chunked}`, 'x\r\n{}\r\n0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  ['chunk size with a sign', post(`${json}${chunked}`, '+2\r\n{}\r\n0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  ['endless chunk size', post(`${json}${chunked}`, `${'f'.repeat(20)}\r\n{}`), 400, 'MALFORMED_REQUEST'],
  ['chunk longer than it says', post(`${json}${chunked}`, '1\r\n{}\r\n0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  ['chunk ended by LF', post(`${json}${chunked}`, '2\n{}\r\n0\r\n\r\n'), 400, 'MALFORMED_REQUEST'],
  [
    'long chunk extension',
    post(`${json}${chunked}`, `2;${filler(20_000)}\r\n{}\r\n0\r\n\r\n`),
    400,
    'MALFORMED_REQUEST',
  ],
  ['fields ended by LF', get('/livez').replaceAll('\r\n', '\n'), 400, 'MALFORMED_REQUEST'],
  ['field ended by CR', get('/livez', 'X-A: b\rX-B: c\r\n'), 400, 'MALFORMED_REQUEST'],
  ['null byte in a field', get('/livez', 'X-A: a\u0000b\r\n'), 400, 'MALFORMED_REQUEST'],
  ['tab before the version', get('/livez').replace(' HTTP', '\tHTTP'), 400, 'MALFORMED_REQUEST'],
  ['no number', post(`${json}Content-Length: 0x2\r\n`, '{}'), 400, 'MALFORMED_REQUEST'],
  ['no HTTP', 'hello\r\n\r\n', 400, 'MALFORMED_REQUEST'],
  ['HTTP/9', get('/livez').replace('1.1', '9.9'), 400, 'MALFORMED_REQUEST'],
  ['control character in a field', get('/livez', 'X-A: a\u0001b\r\n'), 400, 'MALFORMED_REQUEST'],
  ['space before the colon', get('/livez', 'X-A : b\r\n'), 400, 'MALFORMED_REQUEST'],
  ['folded field', get('/livez', 'X-A: b\r\n c\r\n'), 400, 'MALFORMED_REQUEST'],
];

t.test('B-errors: S6.3: every refusal is a problem with a catalogued code and the security headers', async (t) => {
  for (const [name, request, status, code] of refusals) {
    isProblem(t, await sendRaw(port, Buffer.from(request, 'latin1')), status, code, name);
  }
  t.equal(createCount, 0);
});

t.test('S6.3: a slow head and a slow body are cut off with 408', async (t) => {
  isProblem(t, await sendRaw(port, 'GET /livez HTTP/1.1\r\nHost: x\r\n'), 408, 'REQUEST_TIMEOUT', 'slow head');
  const slow = await sendRaw(port, post(`${json}Content-Length: 10\r\n`, '{'));
  t.equal(slow.status, 408);
});

t.test('V4.2.1: what follows a refused request on its connection is never taken for a request', async (t) => {
  const smuggled = 'GET /api/v1/payments/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const [name, request] of refusals.filter(([one]) => /length|chunk|GET|transfer|large/.test(one))) {
    const keepAlive = request.replace('Connection: close\r\n', '');
    const answer = await sendRaw(port, Buffer.from(keepAlive, 'latin1'), smuggled);
    t.notMatch(answer.text, /HTTP\/1\.1 200/, name);
  }
});

t.test('B-errors: a body cut off in the middle leaves nothing behind', async (t) => {
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(post(`${json}Content-Length: 100\r\n`, '{"a"'), () => socket.resetAndDestroy());
    });
    socket.on('close', () => resolve());
    socket.on('error', () => undefined);
  });
  t.equal((await client.get('/livez')).status, 200);
  t.equal(createCount, 0);
});

t.test('B-rest: HEAD, OPTIONS and Allow', async (t) => {
  const head = await sendRaw(port, get(`/api/v1/payments/${paymentId}`, auth).replace('GET', 'HEAD'));
  const whole = await sendRaw(port, get(`/api/v1/payments/${paymentId}`, auth));
  t.equal(head.status, 200);
  t.equal(head.body, '');
  t.equal(head.headers.get('content-length'), whole.headers.get('content-length'));
  t.equal(Number(whole.headers.get('content-length')), Buffer.byteLength(whole.body, 'latin1'));
  const headOfNothing = await sendRaw(port, get('/nothing').replace('GET', 'HEAD'));
  t.same([headOfNothing.status, headOfNothing.body], [404, '']);
  const options = await sendRaw(port, get('/api/v1/payments').replace('GET', 'OPTIONS'));
  t.same([options.status, options.headers.get('allow')], [204, 'GET, HEAD, OPTIONS, POST']);
  const wrong = await client.put('/api/v1/payments', {});
  t.same([wrong.status, wrong.headers.get('allow')], [405, 'GET, HEAD, OPTIONS, POST']);
  const page = await client.post('/openapi.json', {});
  t.same([page.status, page.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
});

t.test('RFC 9112: the absolute form of a target is taken', async (t) => {
  t.equal((await sendRaw(port, get(`http://x/api/v1/payments/${paymentId}`, auth))).status, 200);
  t.equal((await sendRaw(port, get('http://x/api/v1/nothing', auth))).status, 404);
});

t.test('V1.1.1: a path is decoded once', async (t) => {
  for (const id of ['%252e%252e', '%2500', encodeURIComponent(encodeURIComponent(paymentId)), `${paymentId}%00`]) {
    const { status } = await client.get(`/api/v1/payments/${id.replaceAll('-', '%252D')}`);
    t.ok(status === 400 || status === 404, id);
  }
  const answer = await sendRaw(port, get('/api/v1/payments/../payments', auth));
  t.equal(answer.status, 404);
});

t.test('S6.3: a client that is still sending gets its answer too, and is cut off after it', async (t) => {
  const chunk = Buffer.alloc(1_000_000, 'a');
  const many = Array.from({ length: 20 }, () => chunk);
  const large = await sendRaw(port, post(`${json}Content-Length: 999999999\r\n`, ''), ...many);
  isProblem(t, large, 413, 'BODY_TOO_LARGE', 'declared');
  const chunked = many.flatMap((one) => ['f4240\r\n', one, '\r\n']);
  const endless = await sendRaw(port, post(`${json}Transfer-Encoding: chunked\r\n`, ''), ...chunked);
  isProblem(t, endless, 413, 'BODY_TOO_LARGE', 'chunked');
  const nowhere = await sendRaw(port, post(`${json}Content-Length: 999999999\r\n`, '', '/nothing'), ...many);
  isProblem(t, nowhere, 404, 'ROUTE_NOT_FOUND', 'unwanted');
  const header = await sendRaw(port, `GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: `, ...many);
  isProblem(t, header, 431, 'HEADERS_TOO_LARGE', 'header');
});

t.test('S6.3: the rest of a refused body is read, and its client reads the answer', async (t) => {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const answer = async () => String((await once(socket, 'data', { signal: AbortSignal.timeout(10_000) }))[0]);
  const half = Buffer.alloc(2_000_000, 'a');
  socket.write(`POST /api/v1/payments HTTP/1.1\r\nHost: x\r\n${auth}${json}Content-Length: 4000000\r\n\r\n`);
  socket.write(half);
  t.match(await answer(), /^HTTP\/1\.1 413 .*BODY_TOO_LARGE/s);
  socket.write(half);
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await answer(), /^HTTP\/1\.1 200 /, 'the connection goes on');
});

t.test('S6.3: a body up to the limit of its method is taken', async (t) => {
  const description = 'd'.repeat(500);
  const answer = await client.post(
    '/api/v1/payments',
    { ...paymentBody, description },
    { headers: { 'idempotency-key': newKey() } },
  );
  t.equal(answer.status, 201);
  const padded = JSON.stringify({ ...paymentBody, description }).padEnd(65_536, ' ');
  const full = await client.request('POST', '/api/v1/payments', {
    body: padded,
    headers: { 'idempotency-key': newKey() },
  });
  t.equal(full.status, 201);
});
