import { createPrivateEngine, until } from '@strongroom/testkit';
import t from 'tap';
import { attemptsKey, lockoutKey } from '../src/lockout/attempt-guard.ts';
import { emailKey } from '../src/lockout/lockout.ts';
import {
  countEvaluations,
  createAuthFixture,
  errorOf,
  goodPassword,
  makeAdmin,
  reasonOf,
  registerPerson,
  uniqueEmail,
} from './auth-fixture.ts';

// Engines are killed and come back.
t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by } = fixture;

const evaluations = countEvaluations(fixture, (undo) => t.teardown(undo));

const guess = (email: string, ip = '192.0.2.1', password = 'wrong') => auth.login({ email, password }, by({ ip }));
async function lock(email: string): Promise<void> {
  for (let count = 0; count < 5; count += 1) await reasonOf(guess(email));
}

t.test('S1.3a: the 6th attempt is refused even with the right password, for unknown addresses alike', async (t) => {
  const person = await registerPerson(fixture);
  for (const email of [person.email, uniqueEmail()]) {
    await lock(email);
    const sixth = await errorOf(guess(email, '192.0.2.1', goodPassword));
    t.equal(sixth.reason, 'ACCOUNT_LOCKED');
    t.ok((sixth.retryAfterMs ?? 0) > 800_000, 'S1.3b: with the time to wait');
    t.equal(sixth.metadata?.['attemptsLeft'], undefined, 'and no word on attempts left');
  }
  const locked = (await fixture.events('ACCOUNT_LOCKED')).filter(({ subjectId }) => subjectId === person.id);
  t.equal(locked.length, 1);
  const told = (await fixture.notices('account-locked')).filter(({ email }) => email === person.email);
  t.equal(told.length, 1);
  t.ok(Date.parse(told[0]?.values['unlockTime'] ?? '') > Date.now() + 800_000, 'with the end of the lock');
});

t.test('S1.3a: tracked in Redis by the SHA-256 of the address', async (t) => {
  const email = uniqueEmail();
  await lock(email);
  const { redis } = fixture.app.deps;
  t.equal(await redis.hget(lockoutKey(emailKey(email)), 'locked'), '1');
  t.equal(await redis.hget(attemptsKey(emailKey(email)), 'attempts'), '5');
  t.equal((await redis.keys(`*${email}*`)).length, 0);
});

t.test('S1.3a: of 100 parallel wrong guesses never more than 5 are evaluated (older fault 15)', async (t) => {
  const { email } = await registerPerson(fixture);
  const before = evaluations();
  const reasons = await Promise.all(Array.from({ length: 100 }, () => reasonOf(guess(email))));
  t.ok(evaluations() - before <= 5, `${evaluations() - before} evaluated`);
  const answers = Object.groupBy(reasons, (reason) => reason);
  t.ok((answers['INVALID_CREDENTIALS']?.length ?? 0) <= 5);
  // A busy machine sheds some before they are looked at.
  const others = ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'SIGN_IN_BACKOFF', 'OVERLOADED'];
  t.same(
    Object.keys(answers).filter((reason) => !others.includes(reason)),
    [],
    'the others are told to wait',
  );
  t.equal(await reasonOf(guess(email, '192.0.2.1', goodPassword)), 'ACCOUNT_LOCKED', 'V6.3.1: they locked it');
});

t.test('S1.3a: unlocks by itself', async (t) => {
  const person = await registerPerson(fixture);
  await lock(person.email);
  await fixture.sql`update lockouts set unlock_time = clock_timestamp() - interval '1 second' where key = ${emailKey(person.email)}`;
  await fixture.app.deps.redis.del(lockoutKey(emailKey(person.email)));
  t.ok((await guess(person.email, '192.0.2.1', goodPassword)).tokens);
});

t.test('F15: a service whose clock jumps shortens no lock', async (t) => {
  const person = await registerPerson(fixture);
  await lock(person.email);
  await fixture.app.deps.redis.flushdb();
  fixture.clock.offsetMs = 3_600_000;
  t.equal(await reasonOf(guess(person.email, '192.0.2.1', goodPassword)), 'ACCOUNT_LOCKED');
  fixture.clock.offsetMs = 0;
});

t.test('F8: Redis flushed unlocks nobody', async (t) => {
  const person = await registerPerson(fixture);
  await lock(person.email);
  await fixture.app.deps.redis.flushdb();
  t.equal(await reasonOf(guess(person.email, '192.0.2.1', goodPassword)), 'ACCOUNT_LOCKED');
});

t.test('S1.3c: administrators read and undo a lockout, nobody else (older fault 5)', async (t) => {
  const admin = by({ token: (await makeAdmin(fixture)).tokens.accessToken });
  const person = await registerPerson(fixture);
  const other = by({ token: (await registerPerson(fixture)).tokens.accessToken });
  for (let count = 0; count < 12; count += 1) await reasonOf(guess(person.email, `192.0.2.${count}`));
  t.equal(await reasonOf(auth.getLockout({ email: person.email }, other)), 'FORBIDDEN');
  t.equal(await reasonOf(auth.unlock({ email: person.email }, other)), 'FORBIDDEN');
  const { lockout } = await auth.getLockout({ email: person.email }, admin);
  t.match(lockout, { locked: true, failedAttempts: 5, email: person.email });
  t.ok((lockout?.ipAddresses.length ?? 0) >= 5 && (lockout?.ipAddresses.length ?? 0) <= 10);
  t.match(await auth.unlock({ email: person.email }, admin), { lockout: { locked: false, failedAttempts: 0 } });
  t.ok((await guess(person.email, '192.0.2.1', goodPassword)).tokens);
  t.equal((await fixture.events('ACCOUNT_UNLOCKED')).at(-1)?.resourceId, person.id);
  t.ok((await fixture.events('SENSITIVE_READ')).length > 0, 'reading is recorded');
});

t.test('B-lockout: a known device has limits of its own', async (t) => {
  const person = await registerPerson(fixture);
  const { deviceToken } = await auth.login({ email: person.email, password: goodPassword }, by());
  for (let count = 0; count < 5; count += 1) {
    await reasonOf(auth.login({ email: person.email, password: 'wrong', deviceToken }, by()));
  }
  const mine = { email: person.email, password: goodPassword };
  t.equal(await reasonOf(auth.login({ ...mine, deviceToken }, by())), 'ACCOUNT_LOCKED');
  t.ok((await auth.login(mine, by())).tokens, 'and locks nobody else');
});

t.test('LOCKOUT_PROFILE=pci: 10 tries and 30 minutes', async (t) => {
  const pci = await fixture.another({ LOCKOUT_PROFILE: 'pci' });
  const email = uniqueEmail();
  for (let count = 0; count < 9; count += 1) await reasonOf(pci.auth.login({ email, password: 'wrong' }, by()));
  t.equal(await reasonOf(pci.auth.login({ email, password: 'wrong' }, by())), 'ACCOUNT_LOCKED', 'the 10th locks');
  const { retryAfterMs } = await errorOf(pci.auth.login({ email, password: 'wrong' }, by()));
  t.ok((retryAfterMs ?? 0) > 1_700_000);
});

t.test('ASVS V6.2.3: guesses at the password from inside a session are limited too', async (t) => {
  const person = await registerPerson(fixture);
  const mine = by({ token: person.tokens.accessToken });
  const change = (currentPassword: string) =>
    auth.changePassword({ currentPassword, newPassword: 'Copper-Lantern-58-Meadow!' }, mine);
  for (let count = 0; count < 5; count += 1) await reasonOf(change('wrong'));
  t.equal(await reasonOf(change(goodPassword)), 'ACCOUNT_LOCKED');
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens, 'sign-in is apart');
});

t.test(
  'F7: with Redis killed the 6th guess is still refused, and an unlock is not undone when it is back',
  async (t) => {
    const redis = await createPrivateEngine('redis');
    const alone = await createAuthFixture({ redisUrl: redis.url });
    t.teardown(async () => {
      await alone.close();
      await redis.close();
    });
    const admin = by({ token: (await makeAdmin(alone)).tokens.accessToken });
    const person = await registerPerson(alone);
    const wrong = () => reasonOf(alone.auth.login({ email: person.email, password: 'wrong' }, by()));
    await redis.kill();
    for (let count = 0; count < 5; count += 1) await wrong();
    const right = () => reasonOf(alone.auth.login({ email: person.email, password: goodPassword }, by()));
    t.equal(await right(), 'ACCOUNT_LOCKED');
    await redis.start();
    await until(() => alone.app.deps.redis.status === 'ready', { what: 'Redis is back' });
    t.equal(await right(), 'ACCOUNT_LOCKED');
    await alone.app.deps.guard.repair();
    t.equal(await alone.app.deps.redis.hget(lockoutKey(emailKey(person.email)), 'locked'), '1', 'told afterwards');
    await redis.kill();
    await alone.auth.unlock({ email: person.email }, admin);
    await redis.start();
    await until(() => alone.app.deps.redis.status === 'ready', { what: 'Redis is back' });
    await alone.app.deps.guard.repair();
    t.equal(await right(), 'answered');
  },
);
