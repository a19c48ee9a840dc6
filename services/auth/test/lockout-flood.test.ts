import t from 'tap';
import {
  countEvaluations,
  createAuthFixture,
  errorOf,
  goodPassword,
  reasonOf,
  registerPerson,
} from './auth-fixture.ts';

// Over mTLS this takes a while on a small machine.
t.setTimeout(118_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by } = fixture;

const guess = (email: string, ip = '192.0.2.1') => auth.login({ email, password: 'wrong' }, by({ ip }));

t.test(
  'B-lockout: 10,000 wrong guesses from 500 addresses: at most 10 evaluated, and the owner signs in',
  { timeout: 112_000 },
  async (t) => {
    const person = await registerPerson(fixture);
    const { deviceToken } = await auth.login({ email: person.email, password: goodPassword }, by());
    const evaluations = countEvaluations(fixture, (undo) => t.teardown(undo));
    const guesses = 10_000;
    const width = 50;
    let next = 0;
    await Promise.all(
      Array.from({ length: width }, async () => {
        while (next < guesses) {
          const number = next;
          next += 1;
          await reasonOf(guess(person.email, `10.0.${number % 2}.${number % 250}`));
        }
      }),
    );
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
  },
);
