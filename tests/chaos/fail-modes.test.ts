// Outages, made from the fail-mode matrix: what is away, one call of each class, and everything back afterwards.
import { randomUUID } from 'node:crypto';
import { openSql, until } from '@strongroom/testkit';
import t from 'tap';
import type { Answer } from '../../scripts/journey/client.ts';
import { testPassword } from '../e2e/system-fixture.ts';
import { startChaos } from './chaos-system.ts';
import {
  type Dependency,
  type FailMode,
  failModes,
  type MethodClass,
  methodClasses,
  modesWithout,
} from './fail-modes.ts';

t.setTimeout(1_200_000);

const recoveryMs = 60_000;
const chaos = await startChaos(t);
const [ada, bob] = [await chaos.person('ada'), await chaos.person('bob')];
const keeper = await chaos.administrator();
const allOpen = Object.fromEntries(methodClasses.map((name) => [name, 'open']));

/** A picture of one pixel. */
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function pay(): Promise<Answer> {
  return ada.post('/payments', {
    token: ada.token,
    headers: { 'idempotency-key': randomUUID() },
    body: {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: '700' },
      recipientId: bob.id,
      description: 'Outage',
    },
  });
}

let cards = 0;

/** A card that nobody has yet, of one person after the other: each may have some dozens. */
function addCard(): Promise<Answer> {
  const owner = chaos.people[cards % chaos.people.length] ?? ada;
  const digits = `4000${String(cards).padStart(11, '0')}`;
  cards += 1;
  const card = { number: digits + checkDigitOf(digits), expMonth: 12, expYear: 2031, cvc: '123' };
  const headers = { 'idempotency-key': randomUUID() };
  return owner.post('/payment-methods', { token: owner.token, headers, body: { card } });
}

/** ISO/IEC 7812-1, annex B (Luhn). */
function checkDigitOf(digits: string): number {
  const sum = [...digits].reduceRight((total, digit, index) => {
    const value = Number(digit) * ((digits.length - index) % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10;
}

const known: string = (await pay()).body.payment.id;
const endpoint: string = (
  await keeper.post('/webhook-endpoints', {
    token: keeper.token,
    body: { url: 'https://example.com/hooks', eventTypes: ['payment.completed'] },
  })
).body.webhookEndpoint.id;

const calls: Readonly<Record<MethodClass, () => Promise<Answer>>> = {
  'sign-in': () => bob.post('/auth/login', { body: { email: bob.email, password: testPassword } }),
  'auth-read': () => ada.get('/auth/me', { token: ada.token }),
  'auth-write': () => ada.post('/auth/sessions/revoke-others', { token: ada.token, body: {} }),
  money: pay,
  card: addCard,
  'payments-kept-read': () => ada.get(`/payments/${known}`, { token: ada.token }),
  'payments-read': () => ada.get('/ledger/balances', { token: ada.token }),
  'payments-write': () =>
    keeper.post(`/webhook-endpoints/${endpoint}/rotate-secret`, { token: keeper.token, body: {} }),
  'profile-kept-read': () => ada.get('/profile', { token: ada.token }),
  'profile-read': () => ada.get('/profile/preferences', { token: ada.token }),
  'profile-write': () => ada.post('/profile/avatar', { token: ada.token, body: { content: picture } }),
  'whole-person': () => ada.get('/profile/export', { token: ada.token }),
  'user-administration': () => keeper.get('/admin/users?pageSize=1', { token: keeper.token }),
  'admin-read': () => keeper.get('/admin/audit-logs?pageSize=1', { token: keeper.token }),
  'admin-write': () =>
    keeper.post('/admin/legal-holds', { token: keeper.token, body: { userId: bob.id, reason: 'Outage' } }),
};

function modeOf({ status, body, text }: Answer): FailMode | string {
  if (status === 503 || status === 504) return 'closed';
  if (status >= 300) return `${status} ${text}`;
  const isStale = [body, body?.payment, body?.profile].some((one) => one?.stale === true);
  return isStale ? 'degraded' : 'open';
}

async function modes(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of methodClasses) found[name] = modeOf(await calls[name]());
  return found;
}

/** The first calls may still meet a connection that is about to break; what stays is what counts. */
async function settledModes(expected: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  let found: Record<string, string> = {};
  await until(
    async () => {
      found = await modes();
      return methodClasses.every((name) => found[name] === expected[name]);
    },
    { timeoutMs: recoveryMs, what: 'The modes of the matrix' },
  ).catch(() => undefined);
  return found;
}

/** As for a repair: those who are connected are sent away, and nobody comes in. */
async function closeDatabase(name: string): Promise<() => Promise<void>> {
  const superuser = openSql(chaos.engines.postgres.superuserUrl);
  await superuser`alter database ${superuser(name)} allow_connections false`;
  await superuser`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`;
  return async () => {
    await superuser`alter database ${superuser(name)} allow_connections true`;
    await superuser.end();
  };
}

/** Takes it away; answers how it comes back. */
async function takeAway(dependency: Dependency): Promise<() => Promise<void>> {
  switch (dependency) {
    case 'nats':
    case 'redis':
    case 'postgres':
      await chaos.killEngine(dependency);
      return () => chaos.startEngines();
    case 'auth-database':
    case 'payments-database':
    case 'profile-database':
    case 'admin-database':
    case 'audit-database':
      return closeDatabase(dependency.replace('-database', '_db'));
    default:
      await chaos.kill(dependency);
      return () => chaos.restart(dependency);
  }
}

for (const dependency of Object.keys(failModes) as Dependency[]) {
  const expected = modesWithout(dependency);
  t.test(`B-matrix, S5.3: with ${dependency} away each class of methods does what the matrix says`, async (t) => {
    t.same(await settledModes(allOpen), allOpen, 'before');
    const bringBack = await takeAway(dependency);
    try {
      t.same(await settledModes(expected), expected, 'meanwhile');
    } finally {
      await bringBack();
    }
    t.same(await settledModes(allOpen), allOpen, 'afterwards');
  });
}
