import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRouteTable } from '@strongroom/rest';
import fc from 'fast-check';
import t from 'tap';
import { startContractEdge } from '../../tests/security/contract-edge.ts';
import { paymentId } from './fixture.ts';
import { type RawAnswer, sendRawAndEnd } from './raw-http.ts';

/** Enough to find what is common; raise it to look for what is rare (B-errors asks for 100,000). */
const requestCount = Number(process.env['STRONGROOM_FUZZ_REQUESTS'] ?? 1_500);
const seed = Number(process.env['STRONGROOM_FUZZ_SEED'] ?? 20_261_124);
const concurrency = 8;

const batchSize = 500;
t.setTimeout(Math.max(60_000, requestCount * 20));

const { mesh, gateway } = await startContractEdge(t);

const templates = [
  ...createRouteTable(mesh.upstreams.map(({ service }) => service)).routes.map((route) => route.template.source),
  ...mesh.upstreams.flatMap(({ service }) => service.methods.map((method) => `/${service.typeName}/${method.name}`)),
  '/livez',
  '/openapi.json',
  '/reference',
  '/tlog/tile/0/x001/067',
  '/.well-known/jwks.json',
  '*',
  'http://x/api/v1/payments',
];
const nasty = [
  '%',
  '%00',
  '%zz',
  '%ff',
  '%c0%ae',
  '%2e%2e',
  '..',
  '.',
  '//',
  '\\',
  ';',
  '?',
  '#',
  '{',
  "'",
  '"',
  '<script>',
  '%252e',
  '\u00e9',
  ':cancel',
  '__proto__',
  '-1',
  '1e999',
  '$',
  '@',
  '&&',
  '=',
  ' ',
];

const hole = fc.oneof(
  { weight: 6, arbitrary: fc.constant(paymentId) },
  { weight: 1, arbitrary: fc.constantFrom(...nasty) },
  { weight: 1, arbitrary: fc.string({ maxLength: 30 }).map(encodeURIComponent) },
);
const target = fc
  .tuple(
    fc.constantFrom(...templates),
    hole,
    fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, hole),
    fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, fc.array(fc.tuple(hole, hole), { maxLength: 4 })),
    fc.boolean(),
  )
  .map(([template, value, suffix, query, isUpper]) => {
    const path = template.replace(/\{[^}]*\}/g, value) + (suffix ?? '');
    const search = query === null ? '' : `?${query.map(([name, text]) => `${name}=${text}`).join('&')}`;
    return (isUpper && value.length % 7 === 0 ? path.toUpperCase() : path) + search;
  });
const contentTypes = [
  'application/json',
  'application/proto',
  'application/connect+json',
  'application/connect+proto',
  'application/grpc-web',
  'application/grpc-web+proto',
  'application/grpc-web+json',
  'application/grpc-web-text',
  'application/grpc',
  'application/grpc+proto',
  'application/vnd.api+json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/json; charset=latin1',
  ';',
  '*/*',
  '',
];
const fields = fc.array(
  fc.oneof(
    fc.constantFrom(
      'Accept: application/vnd.api+json; version=9',
      'Accept: */*',
      'Content-Encoding: gzip',
      'Expect: 100-continue',
      'Upgrade: websocket',
      'Connection: upgrade',
      'Origin: null',
      'Idempotency-Key: ',
      'Idempotency-Key: a b',
      'Authorization: Bearer x',
      'Authorization: Basic eA==',
      'DPoP: x',
      'Traceparent: 00-x',
      'Connect-Protocol-Version: 1',
      'Connect-Timeout-Ms: -1',
      'Grpc-Timeout: 1X',
      'X-Forwarded-For: ::1, x',
      'Range: bytes=0-',
      'If-None-Match: *',
      'Cookie: a=b',
      'Transfer-Encoding: chunked',
      'Content-Length: 5',
      'Content-Length: x',
      'Host: y',
      'Trailer: x',
    ),
    fc
      .tuple(fc.stringMatching(/^[A-Za-z-]{1,12}$/), fc.string({ maxLength: 20 }))
      .map(([name, value]) => `${name}: ${value}`),
  ),
  { maxLength: 2 },
);
/** As gRPC-Web and Connect streams frame a message: flags, length, bytes; each of them may be a lie. */
const framed = fc
  .tuple(fc.constantFrom(0, 1, 2, 128, 255), fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 1, -1, 1_000_000))
  .map(([flags, bytes, lie]) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(Math.max(0, bytes.length + lie), 1);
    return Buffer.concat([head, bytes]);
  });
const body = fc.oneof(
  fc.constant(''),
  framed,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    '{',
    '[]',
    'null',
    '{"type":1}',
    '{"amount":{"minorUnits":1e400}}',
    '{"a":1,"a":1}',
    '{"__proto__":1}',
    '\ufeff{}',
    '{"description":"\\ud800"}',
    `{"description":${'['.repeat(200)}`,
  ),
  fc.string({ maxLength: 60 }),
);
const method = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('GET', 'POST', 'PATCH', 'PUT', 'DELETE') },
  { weight: 1, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'SEARCH', 'MKCOL', 'get', 'BREW', 'P') },
);
const request = fc.record({
  method,
  target,
  fields,
  body,
  contentType: fc.oneof(fc.constant('application/json'), fc.constantFrom(...contentTypes)),
  hasToken: fc.boolean(),
  hasLength: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
});

const token = mesh.tokens.token();

function textFrom(one: typeof request extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const payload = Buffer.from(one.body);
  const head = [
    `${one.method} ${one.target} HTTP/1.1`,
    'Host: x',
    'Connection: close',
    ...(one.hasToken ? [`Authorization: Bearer ${token}`] : []),
    ...(one.contentType === '' ? [] : [`Content-Type: ${one.contentType}`]),
    ...(one.hasLength ? [`Content-Length: ${payload.length}`] : []),
    ...one.fields,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), payload]);
}

const internalText = /at .*\.ts:|node_modules|Error:|ECONN|127\.0\.0\.1|\/work\/|select |undefined/;

/** What is wrong with an answer; undefined for one that is as it must be. */
function faultOf(answer: RawAnswer, head: string): string | undefined {
  const { status, headers, body: text } = answer;
  if (status === 501)
    return JSON.parse(text).code === 'NOT_YET_BUILT' || headers.has('grpc-status') ? undefined : 'a 501';
  if (!(status >= 100 && status < 500)) return `status ${status}`;
  if (status >= 100 && status < 200) return undefined;
  if (!headers.has('strict-transport-security')) return 'no security headers';
  if (status < 400 || head.startsWith('HEAD ')) return undefined;
  const type = headers.get('content-type') ?? '';
  const isRpc =
    /^POST \/[\w.]+\/\w+|^GET \/[\w.]+\/\w+\?/.test(head) && /^application\/(?:json|connect\+|grpc-web)/.test(type);
  if (!type.startsWith('application/problem+json') && !isRpc) return `content type ${type}`;
  return internalText.test(text) ? 'internal text' : undefined;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What this process, gateway and services included, still holds once nothing is under way. */
function heldBytes(): number {
  mesh.log.length = 0;
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** A tenth more than after the first batch (B-errors), and what a cache of tokens and routes may take once. */
const growthMax = 1.1;
const spareBytes = 8 * 1024 * 1024;

t.test(`B-errors: ${requestCount} fuzzed requests: no 5xx, no other content type, no internal text`, async (t) => {
  const faults: string[] = [];
  let unfinished = 0;
  let firstBytes = 0;
  const statuses = new Map<number, number>();
  const work = async (requests: Buffer[]) => {
    for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
      const head = next.toString('latin1');
      const answer = await sendRawAndEnd(gateway.port, next);
      if (answer === undefined) {
        unfinished++;
        continue;
      }
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const fault = faultOf(answer, head);
      if (fault !== undefined) faults.push(`${fault}\n${head}\n→ ${answer.text.slice(0, 600)}`);
    }
  };
  for (let done = 0; done < requestCount; done += batchSize) {
    const numRuns = Math.min(batchSize, requestCount - done);
    const requests = fc.sample(request, { numRuns, seed: seed + done }).map(textFrom);
    await Promise.all(Array.from({ length: concurrency }, () => work(requests)));
    if (done === 0) firstBytes = heldBytes();
  }
  t.same(faults.slice(0, 3), []);
  t.equal(faults.length, 0);
  t.ok(unfinished < requestCount / 10, `${unfinished} requests promised more than they held`);
  t.ok(statuses.size > 6, `many kinds of answer: ${[...statuses].map((pair) => pair.join('×')).join(' ')}`);
  t.equal((await fetch(`${gateway.url}/livez`)).status, 200);
  const lastBytes = heldBytes();
  t.ok(lastBytes <= firstBytes * growthMax + spareBytes, `${firstBytes} bytes held, then ${lastBytes}`);
});
