import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { repositoryRoot } from '../database/migrations.ts';
import { readJson, writeJson } from '../support/files.ts';
import { type Answer, createPerson, type Person } from './client.ts';

const eventualMs = 15_000;
const pollMs = 50;
const run = promisify(execFile);

export interface JourneyState {
  readonly dataDir: string;
  readonly ada: Person;
  readonly bob: Person;
  readonly admin: Person;
  readonly password: string;
  readonly emails: { readonly ada: string; readonly bob: string };
  readonly tokens: { ada: string; adaRefresh: string; bob: string; admin: string };
  readonly ids: { ada: string; bob: string; payment: string; refund: string };
  readonly key: string;
}

export interface Step {
  readonly title: string;
  /** Answers what may be worth seeing; throws when the step doesn't hold. */
  readonly run: (state: JourneyState) => Promise<string | undefined>;
}

export function createState({ gatewayUrl, dataDir }: { gatewayUrl: string; dataDir: string }): JourneyState {
  const tag = randomBytes(4).toString('hex');
  return {
    dataDir,
    ada: createPerson(`ada-${tag}`, gatewayUrl),
    bob: createPerson(`bob-${tag}`, gatewayUrl),
    admin: createPerson(`admin-${tag}`, gatewayUrl),
    password: `Vault-${randomBytes(9).toString('base64url')}-9z`,
    emails: { ada: `ada.${tag}@example.com`, bob: `bob.${tag}@example.com` },
    tokens: { ada: '', adaRefresh: '', bob: '', admin: '' },
    ids: { ada: '', bob: '', payment: '', refund: '' },
    key: `journey-${randomUUID()}`,
  };
}

export const steps: readonly Step[] = [
  { title: 'two people register', run: registerBoth },
  { title: 'the payer signs in', run: signIn },
  { title: 'and refreshes: both tokens are new', run: refresh },
  { title: 'creates a payment with an idempotency key', run: createPayment },
  { title: 'creates it again: the same bytes, one payment', run: createAgain },
  { title: 'the provider completes it by signed webhook', run: waitForCompletion },
  { title: 'the payee refunds a part', run: refundPart },
  { title: 'the ledger balances', run: checkLedger },
  { title: 'an administrator signs in', run: signInAdmin },
  { title: 'and sees each act in the audit log', run: checkAudit },
  { title: 'the log verifies offline', run: verifyLog },
];

async function registerBoth(state: JourneyState): Promise<undefined> {
  const register = async (person: Person, email: string, name: string) => {
    const answer = await person.post('/auth/register', { body: { email, password: state.password, name } });
    expect(answer, 201);
    return answer.body;
  };
  const ada = await register(state.ada, state.emails.ada, 'Ada Lovelace');
  const bob = await register(state.bob, state.emails.bob, 'Bob Kahn');
  state.ids.ada = ada.user.id;
  state.ids.bob = bob.user.id;
  state.tokens.bob = bob.tokens.accessToken;
}

async function signIn({ ada, emails, password, tokens }: JourneyState): Promise<undefined> {
  const answer = await ada.post('/auth/login', { body: { email: emails.ada, password } });
  expect(answer, 200);
  tokens.ada = answer.body.tokens.accessToken;
  tokens.adaRefresh = answer.body.tokens.refreshToken;
}

async function refresh({ ada, tokens }: JourneyState): Promise<undefined> {
  const answer = await ada.post('/auth/refresh', { body: { refreshToken: tokens.adaRefresh } });
  expect(answer, 200);
  const { accessToken, refreshToken } = answer.body;
  if (accessToken === tokens.ada || refreshToken === tokens.adaRefresh) throw new Error('a token came back unchanged');
  tokens.ada = accessToken;
  tokens.adaRefresh = refreshToken;
}

function paymentRequest({ tokens, key, emails }: JourneyState) {
  return {
    token: tokens.ada,
    headers: { 'idempotency-key': key },
    body: {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode: 'EUR', minorUnits: '12550' },
      recipientEmail: emails.bob,
      description: 'Journey',
    },
  };
}

const firstAnswer = new WeakMap<JourneyState, string>();

async function createPayment(state: JourneyState): Promise<string> {
  const answer = await state.ada.post('/payments', paymentRequest(state));
  expect(answer, 201);
  state.ids.payment = answer.body.payment.id;
  firstAnswer.set(state, answer.text);
  return `125.50 EUR, ${answer.body.payment.status}`;
}

async function createAgain(state: JourneyState): Promise<undefined> {
  const answer = await state.ada.post('/payments', paymentRequest(state));
  expect(answer, 201);
  if (answer.text !== firstAnswer.get(state)) throw new Error('the second answer differs from the first');
  if (answer.headers.get('idempotency-replayed') !== 'true')
    throw new Error('the second answer is not marked replayed');
}

async function waitForCompletion({ ada, tokens, ids }: JourneyState): Promise<undefined> {
  await eventually(async () => {
    const answer = await ada.get(`/payments/${ids.payment}`, { token: tokens.ada });
    expect(answer, 200);
    return answer.body.payment.status === 'PAYMENT_STATUS_COMPLETED' ? undefined : answer.body.payment.status;
  });
}

async function refundPart({ bob, ada, tokens, ids }: JourneyState): Promise<string> {
  const answer = await bob.post(`/payments/${ids.payment}/refunds`, {
    token: tokens.bob,
    headers: { 'idempotency-key': `refund-${randomUUID()}` },
    body: { amount: { currencyCode: 'EUR', minorUnits: '2550' }, reason: 'One of the goods came back' },
  });
  expect(answer, 201);
  ids.refund = answer.body.refund.id;
  await eventually(async () => {
    const read = await ada.get(`/payments/${ids.payment}`, { token: tokens.ada });
    expect(read, 200);
    const { status } = read.body.payment;
    return status === 'PAYMENT_STATUS_PARTIALLY_REFUNDED' ? undefined : status;
  });
  return '25.50 EUR';
}

async function checkLedger({ ada, bob, tokens }: JourneyState): Promise<string> {
  const balanceOf = async (person: Person, token: string): Promise<bigint> => {
    const answer = await person.get('/ledger/balances', { token });
    expect(answer, 200);
    const balance = answer.body.balances.find((one: { currencyCode: string }) => one.currencyCode === 'EUR');
    return BigInt(balance?.minorUnits ?? 0);
  };
  const [payer, payee] = [await balanceOf(ada, tokens.ada), await balanceOf(bob, tokens.bob)];
  if (payee !== 10_000n) throw new Error(`the payee holds ${payee} cents, and should hold 10000`);
  return `payer ${payer}, payee +${payee}`;
}

async function signInAdmin(state: JourneyState): Promise<string> {
  const { admin, dataDir, tokens } = state;
  const known = await readJson<{ email: string; password: string }>(join(dataDir, 'first-admin.json'));
  if (known === undefined) throw new Error('there is no first-admin.json');
  const login = (password: string) => admin.post('/auth/login', { body: { email: known.email, password } });
  let answer = await login(known.password);
  expect(answer, 200);
  let note = '';
  if (answer.body.passwordChangeRequired === true) {
    const newPassword = `Keeper-${randomBytes(12).toString('base64url')}-7q`;
    const change = await admin.post('/auth/password', {
      token: answer.body.tokens.accessToken,
      body: { currentPassword: known.password, newPassword },
    });
    expect(change, 200);
    await writeJson(join(dataDir, 'first-admin.json'), { email: known.email, password: newPassword });
    answer = await login(newPassword);
    expect(answer, 200);
    note = 'the first password was changed, as it must be';
  }
  tokens.admin = answer.body.tokens.accessToken;
  return note;
}

async function checkAudit({ admin, tokens, ids }: JourneyState): Promise<string> {
  const wanted: [string, string, string][] = [
    ['USER_REGISTERED', 'subjectId', ids.ada],
    ['USER_REGISTERED', 'subjectId', ids.bob],
    ['USER_LOGIN', 'actorId', ids.ada],
    ['PAYMENT_CREATED', 'resourceId', ids.payment],
    ['PAYMENT_COMPLETED', 'resourceId', ids.payment],
    ['PAYMENT_REFUNDED', 'resourceId', ids.payment],
  ];
  for (const [action, field, id] of wanted) {
    await eventually(async () => {
      const answer = await admin.get(`/admin/audit-logs?action=${action}&pageSize=100`, { token: tokens.admin });
      expect(answer, 200);
      const isThere = answer.body.events.some((event: Record<string, string>) => event[field] === id);
      return isThere ? undefined : `${action} of ${field} ${id} is not in the log yet`;
    });
  }
  return `${wanted.length} acts`;
}

async function verifyLog({ dataDir }: JourneyState): Promise<string> {
  const file = join(dataDir, 'journey-log.jsonl');
  const script = (...args: string[]) => run(process.execPath, args, { cwd: repositoryRoot });
  await script('scripts/audit-export.ts', '--out', file, '--data', dataDir);
  const { stdout } = await script('packages/tlog/src/verify-cli.ts', '--in', file);
  return stdout.trim().split('\n')[0] ?? '';
}

/** `look` answers nothing once it holds, else what it saw. */
async function eventually(look: () => Promise<string | undefined>): Promise<void> {
  const endMs = performance.now() + eventualMs;
  for (;;) {
    const seen = await look();
    if (seen === undefined) return;
    if (performance.now() > endMs) throw new Error(`after ${eventualMs / 1000} s: ${seen}`);
    await delay(pollMs);
  }
}

function expect({ status, text }: Answer, wanted: number): void {
  if (status !== wanted) throw new Error(`answered ${status} instead of ${wanted}: ${text.slice(0, 500)}`);
}
