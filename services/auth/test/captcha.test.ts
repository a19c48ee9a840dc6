import { randomInt } from 'node:crypto';
import { createChallenge, solveChallenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/sha';
import t from 'tap';
import { createAuthFixture, goodPassword, reasonOf, registerPerson, uniqueEmail } from './auth-fixture.ts';

t.setTimeout(110_000);
const cost = 200;
const fixture = await createAuthFixture({ env: { CAPTCHA_COST: String(cost) } });
t.teardown(() => fixture.close());
const { by, sql } = fixture;
const always = await fixture.another({ CAPTCHA_MODE: 'always' });
const afterFailures = await fixture.another({ CAPTCHA_MODE: 'after-failures', LOGIN_SPRAY_ACCOUNTS: '12' });

type Challenge = Parameters<typeof solveChallenge>[0]['challenge'];

/** What the ALTCHA widget sends for a challenge. */
async function solve(challengeJson: string): Promise<string> {
  const challenge = JSON.parse(challengeJson) as Challenge;
  const solution = await solveChallenge({ challenge, deriveKey });
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
}
const solved = async () => solve((await fixture.auth.getCaptchaChallenge({}, by())).challengeJson);

t.test('S1.3e: CAPTCHA_MODE=always asks for a proof of work at sign-in, registration and reset', async (t) => {
  const { auth } = always;
  const person = await registerPerson(fixture);
  const credentials = { email: person.email, password: goodPassword };
  const calls = {
    login: (captcha?: string) => auth.login({ ...credentials, captcha }, by()),
    register: (captcha?: string) =>
      auth.register({ email: uniqueEmail(), password: goodPassword, name: 'Jo', captcha }, by()),
    reset: (captcha?: string) => auth.requestPasswordReset({ email: person.email, captcha }, by()),
  };
  for (const [name, call] of Object.entries(calls)) {
    t.equal(await reasonOf(call()), 'CAPTCHA_REQUIRED', `${name} without`);
    t.equal(await reasonOf(call(await solved())), 'answered', `${name} with one`);
  }
  t.equal((await fixture.events('USER_LOGIN_FAILED')).filter(({ subjectId }) => subjectId === person.id).length, 0);
});

t.test('S1.3e: a solution counts once, over all instances, also in parallel', async (t) => {
  const person = await registerPerson(fixture);
  const other = await fixture.another({ CAPTCHA_MODE: 'always' });
  const request = { email: person.email, password: goodPassword, captcha: await solved() };
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => reasonOf((index % 2 ? always : other).auth.login(request, by()))),
  );
  t.equal(answers.filter((reason) => reason === 'answered').length, 1);
  t.equal(answers.filter((reason) => reason === 'CAPTCHA_REQUIRED').length, 7);
});

t.test('S1.3e: a solution that is wrong in anything is none', async (t) => {
  const person = await registerPerson(fixture);
  const text = await solved();
  const { challenge, solution } = JSON.parse(Buffer.from(text, 'base64').toString());
  const pack = (payload: unknown) => Buffer.from(JSON.stringify(payload)).toString('base64');
  const { parameters, ...rest } = challenge;
  const own = await createChallenge({
    algorithm: 'SHA-256',
    cost: 1,
    counter: randomInt(cost),
    deriveKey,
    expiresAt: Math.floor(Date.now() / 1000) + 300,
    hmacSignatureSecret: 'a secret of somebody else',
    hmacKeySignatureSecret: 'and another one',
  });
  fixture.clock.offsetMs = -3_600_000;
  const stale = await solved();
  fixture.clock.offsetMs = 0;
  const wrong: Record<string, string> = {
    'no base64': '%%%',
    'no JSON': Buffer.from('{').toString('base64'),
    null: pack(null),
    'an empty object': pack({}),
    'no solution': pack({ challenge }),
    'another key': pack({ challenge, solution: { ...solution, derivedKey: '0'.repeat(solution.derivedKey.length) } }),
    'another end': pack({
      challenge: { ...rest, parameters: { ...parameters, expiresAt: parameters.expiresAt + 9 } },
      solution,
    }),
    'no end': pack({ challenge: { ...rest, parameters: { ...parameters, expiresAt: undefined } }, solution }),
    'another signature': pack({ challenge: { ...challenge, signature: 'a'.repeat(64) }, solution }),
    'a challenge of one’s own': await solve(JSON.stringify(own)),
    'an hour old': stale,
    'far too long': 'A'.repeat(4_096),
  };
  for (const [name, captcha] of Object.entries(wrong)) {
    const refused = always.auth.login({ email: person.email, password: goodPassword, captcha }, by());
    t.equal(await reasonOf(refused), 'CAPTCHA_REQUIRED', name);
  }
  const right = always.auth.login({ email: person.email, password: goodPassword, captcha: text }, by());
  t.equal(await reasonOf(right), 'answered', 'the true one has not been used up');
});

t.test('S1.3e: CAPTCHA_MODE=after-failures asks once an address has failed twice, known or not', async (t) => {
  const { auth } = afterFailures;
  const person = await registerPerson(fixture);
  for (const email of [person.email, uniqueEmail()]) {
    const guess = async (captcha?: string) => {
      await sql`update lockouts set retry_time = clock_timestamp() where retry_time is not null`;
      return reasonOf(auth.login({ email, password: 'wrong', captcha }, by()));
    };
    t.equal(await guess(), 'INVALID_CREDENTIALS');
    t.equal(await guess(), 'INVALID_CREDENTIALS');
    t.equal(await guess(), 'CAPTCHA_REQUIRED');
    t.equal(await guess(await solved()), 'INVALID_CREDENTIALS', 'then the guess is looked at, and counts');
  }
  await sql`update lockouts set retry_time = clock_timestamp() where retry_time is not null`;
  const owner = { email: person.email, password: goodPassword };
  t.equal(await reasonOf(auth.login(owner, by())), 'CAPTCHA_REQUIRED', 'the owner too');
  t.ok((await auth.login({ ...owner, captcha: await solved() }, by())).tokens);
  t.ok((await auth.login(owner, by())).tokens, 'after a success nothing is asked');
});

t.test('S1.3e, B-lockout: while passwords are sprayed over accounts, everyone is asked', async (t) => {
  const { auth } = afterFailures;
  const person = await registerPerson(fixture);
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens);
  for (let count = 0; count < 12; count += 1) await reasonOf(auth.login({ email: uniqueEmail(), password: 'x' }, by()));
  const request = { email: person.email, password: goodPassword };
  t.equal(await reasonOf(auth.login(request, by())), 'CAPTCHA_REQUIRED');
  t.ok((await auth.login({ ...request, captcha: await solved() }, by())).tokens);
});
