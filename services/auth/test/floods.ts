// Guessing at scale: a few hundred guesses in npm test, the numbers of the requirement in tests/chaos.
import type { Test } from 'tap';
import { sprayWindowMs } from '../src/lockout/spray-detector.ts';
import {
  type AuthFixture,
  countEvaluations,
  errorOf,
  goodPassword,
  reasonOf,
  registerPerson,
  uniqueEmail,
} from './auth-fixture.ts';

const parallel = 24;

/** Runs `guess` for 0 to `count` − 1, as many at a time as the fixture's connections carry. */
async function repeat(count: number, guess: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (next < count) {
        const index = next;
        next += 1;
        await guess(index);
      }
    }),
  );
}

/** B-lockout: strangers guess at one account from many addresses; the owner's known device still gets in. */
export async function floodOneAccount(
  t: Test,
  fixture: AuthFixture,
  flood: { readonly guesses: number; readonly addresses: number },
): Promise<void> {
  const { auth, by } = fixture;
  const person = await registerPerson(fixture);
  const { deviceToken } = await auth.login({ email: person.email, password: goodPassword }, by());
  const evaluations = countEvaluations(fixture, (undo) => t.teardown(undo));
  await repeat(flood.guesses, async (index) => {
    const address = index % flood.addresses;
    const ip = `10.0.${Math.floor(address / 250)}.${address % 250}`;
    await reasonOf(auth.login({ email: person.email, password: 'wrong' }, by({ ip })));
  });
  t.ok(evaluations() <= 10, `${evaluations()} evaluated`);
  const mine = { email: person.email, password: goodPassword };
  t.equal(await reasonOf(auth.login(mine, by())), 'ACCOUNT_LOCKED', 'a stranger with the password');
  t.ok((await auth.login({ ...mine, deviceToken }, by())).tokens, 'V6.1.1: the owner on a known device');
  const wrong = await errorOf(auth.login({ email: person.email, password: 'wrong', deviceToken }, by()));
  t.equal(wrong.metadata?.['attemptsLeft'], '4', 'told to a known device alone');
  const forged = `${deviceToken.slice(0, -2)}AA`;
  t.equal(await reasonOf(auth.login({ ...mine, deviceToken: forged }, by())), 'ACCOUNT_LOCKED');
  const thief = await registerPerson(fixture);
  const theirs = await auth.login({ email: thief.email, password: goodPassword }, by());
  const stolen = auth.login({ ...mine, deviceToken: theirs.deviceToken }, by());
  t.equal(await reasonOf(stolen), 'ACCOUNT_LOCKED', 'another account’s device is a stranger');
}

/** B-lockout: one guess on each of many accounts, which no account's own limit sees, trips the detector once. */
export async function sprayAccounts(t: Test, fixture: AuthFixture, accounts: number): Promise<void> {
  const { auth, by, clock } = fixture;
  // A flood that crosses into the next window would trip the detector in each.
  clock.offsetMs = sprayWindowMs - (Date.now() % sprayWindowMs);
  t.teardown(() => Object.assign(clock, { offsetMs: 0 }));
  const reasons = new Set<string>();
  await repeat(accounts, async () => {
    const guess = auth.login({ email: uniqueEmail(), password: 'wrong' }, by({ ip: '192.0.2.1' }));
    reasons.add(await reasonOf(guess));
  });
  t.ok(reasons.has('INVALID_CREDENTIALS'));
  for (const reason of ['ACCOUNT_LOCKED', 'SIGN_IN_BACKOFF']) t.notOk(reasons.has(reason), 'no own limit sees it');
  const trips = (await fixture.events('ANOMALY_DETECTED')).filter(
    ({ details }) => details['rule'] === 'password-spraying',
  );
  t.equal(trips.length, 1);
}
