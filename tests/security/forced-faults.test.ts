// S6.2: two hundred faults forced inside of use cases, over REST and Connect: callers learn a code and a request id, and
// logs hold what happened without what is personal.
import type { DescMethod } from '@bufbuild/protobuf';
import { DrizzleQueryError } from 'drizzle-orm';
import t from 'tap';
import { nameOf, restRequestsOf, startContractEdge } from './contract-edge.ts';

t.setTimeout(120_000);

const inside = {
  sql: 'select secret_column from secret_table where email = $1',
  path: '/srv/strongroom/services/auth/src/main.ts',
  host: 'db-7.internal.example:5432',
  email: 'canary.person@example.com',
  card: '4111 1111 1111 1111',
  token: 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl',
  password: 'password=Correct-Horse-9z!',
};
const everything = Object.values(inside).join(' ');

class PostgresError extends Error {
  readonly code = '42P01';
  readonly detail = `Key (email)=(${inside.email}) already exists.`;
  readonly query = inside.sql;
  readonly parameters = [inside.email, inside.card];
}

const faults: Readonly<Record<string, () => unknown>> = {
  'an error': () => new Error(everything),
  'a type error': () => new TypeError(`Cannot read properties of undefined (${everything})`),
  'an error of PostgreSQL': () => new PostgresError(`relation "secret_table" does not exist: ${everything}`),
  'an error of drizzle': () => new DrizzleQueryError(inside.sql, [inside.email], new PostgresError(everything)),
  'a socket’s error': () => Object.assign(new Error(`connect ECONNREFUSED ${inside.host}`), { code: 'ECONNREFUSED' }),
  'an error with causes': () =>
    new Error('outer', { cause: new Error(everything, { cause: new PostgresError(everything) }) }),
  'many errors': () => new AggregateError([new Error(everything), new PostgresError(everything)], everything),
  'a text': () => everything,
  'an object': () => ({ message: everything, stack: everything, status: 200, statusCode: 418, code: 'OK' }),
  nothing: () => undefined,
  'an error that can’t be read': () =>
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error(everything);
      },
    }),
};

let fault: () => unknown = () => undefined;
const edge = await startContractEdge(t, () => {
  throw fault();
});
const headers = {
  authorization: `Bearer ${edge.mesh.tokens.token({ role: 'ADMIN' })}`,
  'content-type': 'application/json',
  'idempotency-key': 'forced-fault-1',
};
const methodsMax = 12;

/** Methods whose use case an empty request reaches. */
async function reachable(): Promise<DescMethod[]> {
  const found: DescMethod[] = [];
  for (const method of edge.methods.filter(({ methodKind }) => methodKind === 'unary')) {
    if (found.length === methodsMax) break;
    await send(`${edge.gateway.url}/${nameOf(method)}`, { method: 'POST', body: '{}' });
    if (edge.reached.has(nameOf(method))) found.push(method);
  }
  return found;
}

async function send(url: string, init: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers, ...init });
  const fields = [...response.headers].map((pair) => pair.join(': ')).join('\n');
  return { status: response.status, text: `${fields}\n${await response.text()}` };
}

t.test('S6.2: none of 200 forced faults leaks', async (t) => {
  const leaks = [...Object.values(inside), 'secret_table', 'ECONNREFUSED', 'PostgresError', 'node_modules', '.ts:'];
  const leaked: string[] = [];
  let forced = 0;
  const methods = await reachable();
  for (const [name, make] of Object.entries(faults)) {
    fault = make;
    for (const method of methods) {
      const answers = [await send(`${edge.gateway.url}/${nameOf(method)}`, { method: 'POST', body: '{}' })];
      for (const { verb, path, hasBody } of restRequestsOf(method)) {
        answers.push(await send(`${edge.gateway.url}${path}`, { method: verb, ...(hasBody ? { body: '{}' } : {}) }));
      }
      for (const { status, text } of answers) {
        forced += 1;
        if (status < 400 || leaks.some((leak) => text.includes(leak)))
          leaked.push(`${name} in ${method.name}: ${text}`);
      }
    }
  }
  t.ok(forced >= 200, `${forced} faults`);
  t.same(leaked.slice(0, 3), []);
});

t.test('S6.2: the logs say what happened, and name nobody', async (t) => {
  const lines = edge.mesh.log.join('');
  t.match(lines, 'ECONNREFUSED');
  for (const secret of [inside.email, inside.card, inside.token, 'Correct-Horse']) {
    t.equal(lines.includes(secret), false, secret.slice(0, 6));
  }
});
