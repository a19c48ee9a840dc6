import t from 'tap';
import { createAuthFixture, goodPassword, reasonOf } from './auth-fixture.ts';
import { registerPasskey } from './passkey-owner.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by, sql } = fixture;

type Owner = Awaited<ReturnType<typeof registerPasskey>>;

/** Password and passkey; answers the device's token. */
async function signIn(owner: Owner, agent: string, deviceToken?: string): Promise<string> {
  const { mfaChallenge } = await auth.login({ email: owner.email, password: goodPassword, deviceToken }, by({ agent }));
  const value = owner.authenticator.answer(mfaChallenge?.passkeyOptionsJson ?? '');
  const answer = { case: 'passkeyResponseJson' as const, value };
  const verified = await auth.verifyMfa({ challengeId: mfaChallenge?.id ?? '', answer }, by({ agent }));
  return verified.deviceToken;
}
const noticesTo = async (owner: Owner, template: string) =>
  (await fixture.notices(template)).filter(({ email }) => email === owner.email);
const devicesOf = async (owner: Owner) =>
  Number((await sql`select count(*)::int as count from known_devices where user_id = ${owner.id}`)[0]?.['count']);

t.test('S1.3e: a sign-in with a second factor tells of a new device, and knows it again', async (t) => {
  const owner = await registerPasskey(fixture);
  const deviceToken = await signIn(owner, 'laptop/1');
  t.match(await noticesTo(owner, 'new-device'), [{ values: { userAgent: 'laptop/1', ipAddress: '198.51.100.7' } }]);
  t.equal(await devicesOf(owner), 1);
  const again = await signIn(owner, 'laptop/2, after an update', deviceToken);
  t.equal((await noticesTo(owner, 'new-device')).length, 1, 'a known device is not told of');
  t.equal(again, deviceToken, 'and stays the same');
  t.equal(await devicesOf(owner), 1);
  await signIn(owner, 'phone/1');
  t.equal((await noticesTo(owner, 'new-device')).length, 2);
  t.equal(await devicesOf(owner), 2);
});

t.test('S1.3e: a sign-in by passkey alone tells of a new device', async (t) => {
  const owner = await registerPasskey(fixture);
  const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
  const responseJson = owner.authenticator.answer(optionsJson);
  await auth.finishPasskeyLogin({ challengeId, responseJson }, by({ agent: 'tablet/1' }));
  t.match(await noticesTo(owner, 'new-device'), [{ values: { userAgent: 'tablet/1' } }]);
});

t.test(
  'S1.3e, ASVS V6.3.5: a success after several failures is told to the owner, also with a second factor',
  async (t) => {
    const owner = await registerPasskey(fixture);
    const guess = () => reasonOf(auth.login({ email: owner.email, password: 'wrong' }, by()));
    for (let count = 0; count < 3; count += 1) await guess();
    // The wait between failures is over.
    await sql`update lockouts set retry_time = clock_timestamp() where retry_time is not null`;
    await signIn(owner, 'test-agent/1');
    t.equal((await noticesTo(owner, 'suspicious-sign-in')).length, 1);
    t.equal((await noticesTo(owner, 'new-device')).length, 0, 'one word is enough');
  },
);
