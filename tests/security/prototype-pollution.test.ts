// Keys that reach for prototypes, through the real edge, in bodies, queries and headers: nothing sticks to any object.
import t from 'tap';
import { startContractEdge } from './contract-edge.ts';

const edge = await startContractEdge(t);
const mark = 'polluted-by-a-test';
const payment = '"type":"PAYMENT_TYPE_INSTANT","amount":{"currencyCode":"EUR","minorUnits":"100"},"description":"x"';

const bodies = [
  `{"__proto__":{"mark":"${mark}"}}`,
  `{"\\u005f_proto__":{"mark":"${mark}"}}`,
  `{"__pro\\u0074o__":{"mark":"${mark}"}}`,
  `{"constructor":{"prototype":{"mark":"${mark}"}}}`,
  `{"prototype":{"mark":"${mark}"}}`,
  `{"amount":{"__proto__":{"mark":"${mark}"}}}`,
  `{"amount":{"constructor":{"prototype":{"mark":"${mark}"}}}}`,
  `{"metadata":{"__proto__":"${mark}"}}`,
  `{"metadata":{"constructor":"${mark}"}}`,
  `{"metadata":{"prototype":"${mark}"}}`,
  `{"metadata":{"toString":"${mark}"}}`,
  `{"metadata":{"hasOwnProperty":"${mark}"}}`,
  `{"metadata":{"valueOf":"${mark}"}}`,
  `{"metadata":{"__defineGetter__":"${mark}"}}`,
  `{${payment},"__proto__":{"status":"PAYMENT_STATUS_COMPLETED"}}`,
  `{${payment},"__proto__":null}`,
  `{${payment},"__proto__":[]}`,
  `{${payment},"__proto__.mark":"${mark}"}`,
  `{${payment},"constructor.prototype.mark":"${mark}"}`,
  `{"amount":[{"__proto__":{"mark":"${mark}"}}]}`,
  `[{"__proto__":{"mark":"${mark}"}}]`,
  `{"__proto__":{"__proto__":{"mark":"${mark}"}}}`,
  `{"__proto__":{"toString":"${mark}"}}`,
  `{"__proto__":{"then":"${mark}"}}`,
  `{"__proto__":{"toJSON":"${mark}"}}`,
  `{"hasOwnProperty":1}`,
  `{"then":"${mark}"}`,
  `{"toJSON":"${mark}"}`,
];
const queries = [
  `__proto__=${mark}`,
  `__proto__.mark=${mark}`,
  `__proto__[mark]=${mark}`,
  `constructor.prototype.mark=${mark}`,
  `constructor[prototype][mark]=${mark}`,
  `prototype=${mark}`,
  `%5f%5fproto%5f%5f.mark=${mark}`,
  `pageSize=1&__proto__.pageSize=2`,
  `toString=${mark}`,
  `filter.__proto__.mark=${mark}`,
  `[__proto__]=${mark}`,
  `a[__proto__][mark]=${mark}`,
];
const headers: Record<string, string>[] = [
  { __proto__x: mark },
  { constructor: mark },
  { 'x-device-id': '__proto__' },
  { 'idempotency-key': '__proto__' },
  { tracestate: '__proto__=1' },
];

function isClean(): boolean {
  const fresh: Record<string, unknown> = {};
  return (
    fresh['mark'] === undefined &&
    fresh['status'] === undefined &&
    fresh['then'] === undefined &&
    fresh['toJSON'] === undefined &&
    Object.keys(Object.prototype).length === 0 &&
    Object.prototype.toString.call(fresh) === '[object Object]' &&
    `${fresh}` === '[object Object]'
  );
}

t.test('S6.3: prototype pollution: what reaches for a prototype is refused or taken as plain text', async (t) => {
  t.ok(bodies.length + queries.length + headers.length >= 40, 'forty vectors');
  const path = '/api/v1/payments';
  const check = async (name: string, sent: ReturnType<typeof edge.send>) => {
    const { status, headers: answered, text } = await sent;
    t.ok(status < 500, `${name}: ${status}`);
    if (status >= 400) t.match(answered.get('content-type'), /^application\/problem\+json/, name);
    t.notMatch(text, mark, `${name}: nothing is reflected`);
    t.ok(isClean(), `${name}: no prototype has changed`);
  };
  for (const body of bodies) await check(body, edge.send(path, { body }));
  for (const query of queries) await check(query, edge.send(`${path}?${query}`));
  for (const header of headers) await check(JSON.stringify(header), edge.send(path, { headers: header }));
});

t.test('S6.3: a body that names a prototype is refused before any service sees it', async (t) => {
  const createPayment = 'strongroom.payments.v1.PaymentsService/CreatePayment';
  for (const body of bodies.filter((one) => /"(__proto__|\\u005f_proto__|constructor|prototype)":/.test(one))) {
    const before = edge.reached.get(createPayment) ?? 0;
    t.equal((await edge.send('/api/v1/payments', { body })).status, 400, body);
    t.equal(edge.reached.get(createPayment) ?? 0, before, body);
  }
});
