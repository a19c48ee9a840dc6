import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createAuthFixture, errorOf, goodPassword, makeAdmin, reasonOf, registerPerson } from './auth-fixture.ts';
import { type Person, registerPasskey } from './passkey-owner.ts';
import { createSoftwareAuthenticator, type Lies } from './software-authenticator.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by, sql } = fixture;

const withPasskey = (person?: Person) => registerPasskey(fixture, person);
const passkeyAnswer = (value: string) => ({ answer: { case: 'passkeyResponseJson' as const, value } });

async function challengeOf(email: string) {
  const { mfaChallenge, tokens } = await auth.login({ email, password: goodPassword }, by());
  if (mfaChallenge === undefined || tokens !== undefined) throw new Error('no challenge stood before the tokens');
  return { challengeId: mfaChallenge.id, optionsJson: mfaChallenge.passkeyOptionsJson, methods: mfaChallenge.methods };
}

/** Answers that must be refused, each wrong in one thing. */
const lies: Record<string, Lies> = {
  'another origin': { origin: 'https://evil.example' },
  'another port of the host': { origin: 'http://localhost:3001' },
  'another relying party': { rpId: 'evil.example' },
  'another challenge': { challenge: randomBytes(32).toString('base64url') },
  'the type of a registration': { type: 'webauthn.create' },
  'nobody verified': { isUserVerified: false },
  'a forged signature': { isForged: true },
  'an unknown credential': { credentialId: randomBytes(32) },
};

t.test('B-passkey: a registration turns the second factor on, gives backup codes and tells the owner', async (t) => {
  const person = await withPasskey();
  t.match(person.passkey, { name: 'Laptop' });
  t.equal(new Set(person.backupCodes).size, 10);
  const status = await auth.getMfaStatus({}, person.mine);
  t.match(status, { enabled: true, totp: false, backupCodesLeft: 10 });
  t.equal(status.passkeys.length, 1);
  t.equal((await fixture.notices('mfa-enabled')).filter(({ email }) => email === person.email).length, 1);
  const [event] = (await fixture.events('MFA_ENABLED')).filter(({ subjectId }) => subjectId === person.id);
  t.match(event, { actorId: person.id, ipAddress: '198.51.100.7', details: { factor: 'passkey' } });
  const known = JSON.parse((await auth.startPasskeyRegistration({}, person.mine)).optionsJson) as {
    excludeCredentials: { id: string }[];
    authenticatorSelection: { userVerification: string };
  };
  t.equal(known.excludeCredentials[0]?.id, person.authenticator.credentialId.toString('base64url'));
  t.equal(known.authenticatorSelection.userVerification, 'required');
});

t.test('B-passkey: a registration that is wrong in anything is refused, and its challenge is used', async (t) => {
  const person = await registerPerson(fixture);
  const mine = by({ token: person.tokens.accessToken });
  const { 'a forged signature': _, 'an unknown credential': __, ...others } = lies;
  for (const [name, lie] of Object.entries({ ...others, 'the type of a registration': { type: 'webauthn.get' } })) {
    const authenticator = createSoftwareAuthenticator();
    const { optionsJson } = await auth.startPasskeyRegistration({}, mine);
    const finish = (responseJson: string) =>
      reasonOf(auth.finishPasskeyRegistration({ responseJson, name: 'x' }, mine));
    t.equal(await finish(authenticator.register(optionsJson, lie)), 'PASSKEY_INVALID', name);
    if (name === 'another challenge') continue;
    t.equal(await finish(authenticator.register(optionsJson)), 'PASSKEY_INVALID', `${name}: the challenge is used`);
  }
  for (const responseJson of ['{}', 'null', '[]', '{"response":{"clientDataJSON":"e30"}}', 'no json at all']) {
    t.equal(await reasonOf(auth.finishPasskeyRegistration({ responseJson, name: 'x' }, mine)), 'PASSKEY_INVALID');
  }
  t.equal((await auth.getMfaStatus({}, mine)).enabled, false);
});

t.test('B-passkey: a challenge is for one person and one registration', async (t) => {
  const [one, other] = [await registerPerson(fixture), await registerPerson(fixture)];
  const authenticator = createSoftwareAuthenticator();
  const { optionsJson } = await auth.startPasskeyRegistration({}, by({ token: one.tokens.accessToken }));
  const response = { responseJson: authenticator.register(optionsJson), name: 'x' };
  const foreign = auth.finishPasskeyRegistration(response, by({ token: other.tokens.accessToken }));
  t.equal(await reasonOf(foreign), 'PASSKEY_INVALID');
  const fresh = await withPasskey(one);
  const again = await auth.startPasskeyRegistration({}, by({ token: other.tokens.accessToken }));
  const taken = { responseJson: fresh.authenticator.register(again.optionsJson), name: 'x' };
  const stolen = auth.finishPasskeyRegistration(taken, by({ token: other.tokens.accessToken }));
  t.equal(await reasonOf(stolen), 'PASSKEY_EXISTS', 'a credential belongs to one account');
});

t.test('B-passkey: as a second factor it answers the challenge of a sign-in, once', async (t) => {
  const person = await withPasskey();
  const { challengeId, optionsJson, methods } = await challengeOf(person.email);
  t.same(methods, ['passkey', 'backup_code']);
  const responseJson = person.authenticator.answer(optionsJson);
  const { tokens } = await auth.verifyMfa({ challengeId, ...passkeyAnswer(responseJson) }, by());
  const claims = JSON.parse(Buffer.from(tokens?.accessToken.split('.')[1] ?? '', 'base64url').toString());
  t.match(claims, { amr: ['pwd', 'hwk', 'mfa'], mfe: true });
  const replay = auth.verifyMfa({ challengeId, ...passkeyAnswer(responseJson) }, by());
  t.equal(await reasonOf(replay), 'MFA_CHALLENGE_INVALID');
  const other = await challengeOf(person.email);
  const elsewhere = auth.verifyMfa({ challengeId: other.challengeId, ...passkeyAnswer(responseJson) }, by());
  t.equal(await reasonOf(elsewhere), 'PASSKEY_INVALID', 'nor does it answer another challenge');
});

t.test('B-passkey: a second factor that is wrong in anything is refused, and counts as a wrong one', async (t) => {
  for (const [name, lie] of Object.entries(lies)) {
    const person = await withPasskey();
    const { challengeId, optionsJson } = await challengeOf(person.email);
    const answer = passkeyAnswer(person.authenticator.answer(optionsJson, lie));
    t.equal(await reasonOf(auth.verifyMfa({ challengeId, ...answer }, by())), 'PASSKEY_INVALID', name);
    const failed = (await fixture.events('MFA_FAILED')).filter(({ subjectId }) => subjectId === person.id);
    t.equal(failed.length, 1, `${name}: on record`);
  }
  const [owner, thief] = [await withPasskey(), await withPasskey()];
  const { challengeId, optionsJson } = await challengeOf(owner.email);
  const foreign = auth.verifyMfa({ challengeId, ...passkeyAnswer(thief.authenticator.answer(optionsJson)) }, by());
  t.equal(await reasonOf(foreign), 'PASSKEY_INVALID', 'a passkey of another account');
});

t.test('B-passkey: a passkey alone signs in, and tells of it', async (t) => {
  const person = await withPasskey();
  const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
  t.same((JSON.parse(optionsJson) as { allowCredentials?: unknown[] }).allowCredentials ?? [], [], 'nobody is named');
  const responseJson = person.authenticator.answer(optionsJson);
  const finish = { challengeId, responseJson };
  const { tokens } = await auth.finishPasskeyLogin(finish, by({ agent: 'phone/2' }));
  const claims = JSON.parse(Buffer.from(tokens?.accessToken.split('.')[1] ?? '', 'base64url').toString());
  t.match(claims, { sub: person.id, amr: ['hwk', 'mfa'] });
  t.ok(await auth.getMe({}, by({ token: tokens?.accessToken })));
  t.equal(await reasonOf(auth.finishPasskeyLogin(finish, by())), 'PASSKEY_INVALID', 'a replay');
  const again = await auth.startPasskeyLogin({}, by());
  const moved = auth.finishPasskeyLogin({ challengeId: again.challengeId, responseJson }, by());
  t.equal(await reasonOf(moved), 'PASSKEY_INVALID', 'an old answer to a new challenge');
});

t.test('B-passkey: a sign-in by passkey that is wrong in anything is refused and on record', async (t) => {
  const person = await withPasskey();
  const before = (await fixture.events('USER_LOGIN_FAILED')).length;
  for (const [name, lie] of Object.entries(lies)) {
    const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
    const responseJson = person.authenticator.answer(optionsJson, lie);
    t.equal(await reasonOf(auth.finishPasskeyLogin({ challengeId, responseJson }, by())), 'PASSKEY_INVALID', name);
    const right = { challengeId, responseJson: person.authenticator.answer(optionsJson) };
    t.equal(await reasonOf(auth.finishPasskeyLogin(right, by())), 'PASSKEY_INVALID', `${name}: the challenge is used`);
  }
  const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
  await sql`update passkey_challenges set expire_time = now() - interval '1 second' where use_time is null`;
  const late = { challengeId, responseJson: person.authenticator.answer(optionsJson) };
  t.equal(await reasonOf(auth.finishPasskeyLogin(late, by())), 'PASSKEY_INVALID', 'five minutes later');
  const expected = before + 2 * Object.keys(lies).length + 1;
  t.equal((await fixture.events('USER_LOGIN_FAILED')).length, expected);
});

t.test('B-passkey: a counter that doesn’t rise shows a copy of the authenticator', async (t) => {
  const person = await withPasskey();
  const signIn = async (counter: number) => {
    const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
    const responseJson = person.authenticator.answer(optionsJson, { counter });
    return reasonOf(auth.finishPasskeyLogin({ challengeId, responseJson }, by()));
  };
  t.equal(await signIn(7), 'answered');
  t.equal(await signIn(7), 'PASSKEY_INVALID');
  t.equal(await signIn(3), 'PASSKEY_INVALID');
  t.equal(await signIn(0), 'PASSKEY_INVALID');
  t.equal(await signIn(8), 'answered');
  const without = await withPasskey();
  for (const turn of [1, 2]) {
    const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
    const responseJson = without.authenticator.answer(optionsJson, { counter: 0 });
    t.ok((await auth.finishPasskeyLogin({ challengeId, responseJson }, by())).tokens, `without a counter, ${turn}`);
  }
});

t.test('F27: of parallel answers to one challenge one signs in', async (t) => {
  const person = await withPasskey();
  const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
  const responseJson = person.authenticator.answer(optionsJson);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => reasonOf(auth.finishPasskeyLogin({ challengeId, responseJson }, by()))),
  );
  t.equal(answers.filter((reason) => reason === 'answered').length, 1);
});

t.test('S7.1: a step-up by passkey answers the challenge that came with the refusal', async (t) => {
  const person = await withPasskey();
  await sql`update sessions set authentication_time = now() - interval '1 hour' where user_id = ${person.id}`;
  const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
  const login = { challengeId, responseJson: person.authenticator.answer(optionsJson) };
  const { tokens } = await auth.finishPasskeyLogin(login, by());
  await sql`update sessions set authentication_time = now() - interval '1 hour' where user_id = ${person.id}`;
  const stale = await auth.refresh({ refreshToken: tokens?.refreshToken ?? '' }, by());
  const old = by({ token: stale.accessToken });
  const refused = await errorOf(auth.stepUp({}, old));
  t.equal(refused.reason, 'STEP_UP_REQUIRED');
  t.equal(refused.metadata?.['required'], 'mfa');
  const options = refused.metadata?.['passkeyOptionsJson'] ?? '';
  const answer = person.authenticator.answer(options);
  const { accessToken } = await auth.stepUp({ passkeyResponseJson: answer }, old);
  t.equal((await auth.regenerateBackupCodes({}, by({ token: accessToken }))).backupCodes.length, 10);
  const replay = auth.stepUp({ passkeyResponseJson: answer }, by({ token: accessToken }));
  t.equal(await reasonOf(replay), 'PASSKEY_INVALID');
});

t.test('B-passkey: nobody signs in with the passkey of a suspended account, or one that was removed', async (t) => {
  const admin = await makeAdmin(fixture);
  const signIn = async (of: { authenticator: ReturnType<typeof createSoftwareAuthenticator> }) => {
    const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
    const responseJson = of.authenticator.answer(optionsJson);
    return reasonOf(auth.finishPasskeyLogin({ challengeId, responseJson }, by()));
  };
  const suspended = await withPasskey();
  await fixture.as('admin').setStatus({ userId: suspended.id, status: 2, reason: 'x', actorId: admin.id }, by());
  t.equal(await signIn(suspended), 'PASSKEY_INVALID');
  const person = await withPasskey();
  const id = person.passkey?.id ?? '';
  const stranger = await withPasskey();
  t.equal(await reasonOf(auth.removePasskey({ id }, stranger.mine)), 'PASSKEY_NOT_FOUND');
  await auth.removePasskey({ id }, person.mine);
  t.equal(await signIn(person), 'PASSKEY_INVALID');
  t.equal((await fixture.notices('mfa-disabled')).filter(({ email }) => email === person.email).length, 1);
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens, 'the password alone again');
});

t.test('B-passkey: ten are enough', async (t) => {
  const person = await withPasskey();
  for (let count = 1; count < 10; count += 1) {
    const { optionsJson } = await auth.startPasskeyRegistration({}, person.mine);
    const responseJson = createSoftwareAuthenticator().register(optionsJson);
    await auth.finishPasskeyRegistration({ responseJson, name: `Key ${count}` }, person.mine);
  }
  t.equal(await reasonOf(auth.startPasskeyRegistration({}, person.mine)), 'PASSKEY_LIMIT');
});
