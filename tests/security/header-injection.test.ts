// Bytes in headers, paths, queries and bodies that could end a header or begin a response: none becomes one, at the client
// or at the services behind the edge.
import t from 'tap';
import { sendRaw } from '../../gateway/test/raw-http.ts';
import { startContractEdge } from './contract-edge.ts';

const edge = await startContractEdge(t);
const token = edge.mesh.tokens.token();
const injected = 'X-Injected';

const breaks = [
  '\r\n',
  '\n',
  '\r',
  '%0d%0a',
  '%0a',
  '%0d',
  '\\r\\n',
  '%E5%98%8A%E5%98%8D',
  '\u2028',
  '\0',
  '%00',
  '\v',
];
const fields = [
  'User-Agent',
  'X-Request-Id',
  'X-Device-Id',
  'Idempotency-Key',
  'Traceparent',
  'Origin',
  'Accept',
  'Referer',
  'X-Forwarded-For',
  'Access-Control-Request-Headers',
] as const;

interface Vector {
  readonly name: string;
  readonly request: string;
}

const head = (target: string, extra = ''): string =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n${extra}\r\n`;

const vectors: Vector[] = [
  ...fields.flatMap((field) =>
    // A line break written as it is would only be another header of the client's own.
    breaks.slice(2).map((end) => ({
      name: `${encodeURIComponent(end)} in ${field}`,
      request: head('/api/v1/payments', `${field}: a${end}${injected}: 1\r\n`),
    })),
  ),
  ...['%0d%0a', '%0a', '%0d', '%00', '%E5%98%8A%E5%98%8D'].flatMap((end) => [
    { name: `${end} in a path`, request: head(`/api/v1/payments/a${end}${injected}:%201`) },
    { name: `${end} in a query`, request: head(`/api/v1/payments?pageToken=a${end}${injected}:%201`) },
    { name: `${end} in a page`, request: head(`/console/a${end}${injected}:%201`) },
  ]),
];

t.test('S6.1: header injection: no byte of a request becomes a header of an answer', async (t) => {
  t.ok(vectors.length >= 40, `${vectors.length} vectors`);
  for (const { name, request } of vectors) {
    const { status, headers, text } = await sendRaw(edge.gateway.port, Buffer.from(request, 'utf8'));
    t.ok(status >= 200 && status < 500, `${name}: ${status}`);
    t.notOk(headers.has(injected.toLowerCase()), name);
    t.equal(text.split('HTTP/1.1 ').length, 2, `${name}: one response`);
  }
});

t.test('S6.1: what reaches the services is one line of printable text', async (t) => {
  const lines = edge.mesh.log.filter((line) => line.includes(injected.toLowerCase()));
  t.same(lines, [], 'no field of the request was split on the way');
  const received = await sendRaw(
    edge.gateway.port,
    Buffer.from(head('/api/v1/payments', 'User-Agent: caf\xe9\x7f\x01 a\r\n'), 'latin1'),
  );
  t.ok(received.status < 500, `${received.status}`);
});

t.test('V4.2.1: a value that breaks lines in a body stays a value', async (t) => {
  for (const end of ['\r\n', '\n', '\r', '\u0085', '\u2028', '\0']) {
    const body = JSON.stringify({ description: `a${end}${injected}: 1` });
    const { status, headers } = await edge.send('/api/v1/payments', { body });
    t.notOk(headers.has(injected), encodeURIComponent(end));
    t.ok(status < 500, `${status}`);
  }
});
