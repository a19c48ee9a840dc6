import t from 'tap';
import {
  countEvaluations,
  createAuthFixture,
  errorOf,
  goodPassword,
  makeAdmin,
  otherPassword,
  reasonOf,
  registerPerson,
  uniqueEmail,
} from './auth-fixture.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { by, sql } = fixture;
/** EMAIL_VERIFICATION=required, as in production. */
const strict = await fixture.another({ EMAIL_VERIFICATION: 'required' });

const tokenSentTo = async (email: string) =>
  (await fixture.notices('verify-email')).findLast((notice) => notice.email === email)?.values['token'] ?? '';
const templatesTo = async (email: string) =>
  (await fixture.notices()).filter((notice) => notice.email === email).map(({ template }) => template);
/** A message may be asked for once a minute; here the minute is over. */
const passMinute = () => sql`update message_tokens set create_time = create_time - interval '61 seconds'`;

t.test('S1.3d: registration makes a CUSTOMER with tokens, and a known address is told where that is on', async (t) => {
  const { user, tokens, email } = await registerPerson(fixture);
  t.equal(user.role, 1);
  t.equal(tokens.expiresIn, 900);
  const me = await fixture.auth.getMe({}, fixture.by({ token: tokens.accessToken }));
  t.equal(me.user?.email, email);
  const again = fixture.auth.register({ email: email.toUpperCase(), password: goodPassword, name: 'X' }, fixture.by());
  t.equal(await reasonOf(again), 'EMAIL_EXISTS', 'older fault 16: case does not make another account');
  const [event] = await fixture.events('USER_REGISTERED');
  t.equal(event?.resourceId, user.id);
  t.equal(event?.ipAddress, '198.51.100.7');
  t.equal(event?.traceId.length, 32);
  const invalid = fixture.auth.register({ email: uniqueEmail(), password: 'short', name: 'X' }, fixture.by());
  t.equal(await reasonOf(invalid), 'VALIDATION_FAILED');
});

t.test('S1.3d: EMAIL_VERIFICATION=required answers alike whoever asks; what differs goes to the address', async (t) => {
  const verified = await registerPerson(fixture);
  await sql`update users set email_verified = true where id = ${verified.id}`;
  const unverified = await registerPerson(fixture);
  await passMinute();
  const fresh = uniqueEmail();
  for (const email of [fresh, verified.email, unverified.email, verified.email]) {
    const headers: Headers[] = [];
    const options = { ...by(), onHeader: (sent: Headers) => void headers.push(sent) };
    const answer = await strict.auth.register({ email, password: otherPassword, name: 'Jo' }, options);
    t.same(
      { ...answer, $unknown: undefined },
      { $typeName: answer.$typeName, verification: 'sent', $unknown: undefined },
    );
    t.equal(headers[0]?.get('x-strongroom-http-status'), '202');
  }
  t.same(await templatesTo(fresh), ['verify-email']);
  t.same(await templatesTo(verified.email), ['verify-email', 'account-exists', 'account-exists']);
  t.same(await templatesTo(unverified.email), ['verify-email', 'verify-email']);
  const stolen = fixture.auth.login({ email: verified.email, password: otherPassword }, by());
  t.equal(await reasonOf(stolen), 'INVALID_CREDENTIALS', 'the account is what it was');
});

t.test('ASVS V6.1.1: nobody signs in before the address is proven; then everything works', async (t) => {
  const email = uniqueEmail();
  await strict.auth.register({ email, password: goodPassword, name: 'Jo' }, by());
  const signIn = (password = goodPassword) => strict.auth.login({ email, password }, by());
  t.equal(await reasonOf(signIn()), 'EMAIL_NOT_VERIFIED');
  t.equal(await reasonOf(signIn('wrong')), 'INVALID_CREDENTIALS', 'told to whoever has the password alone');
  t.same(await templatesTo(email), ['verify-email'], 'one message a minute');
  await passMinute();
  const voided = await tokenSentTo(email);
  t.equal(await reasonOf(signIn()), 'EMAIL_NOT_VERIFIED');
  const token = await tokenSentTo(email);
  t.not(token, voided);
  const notice = (await fixture.notices('verify-email')).at(-1);
  t.match(notice?.values['link'], `/console/#/verify-email?token=${token}`);
  const verify = (proof: { token: string; password?: string }) =>
    reasonOf(strict.auth.verifyEmail({ password: goodPassword, ...proof }, by({ ip: '203.0.113.4' })));
  for (const wrong of [voided, `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, 'x'.repeat(43)]) {
    t.equal(await verify({ token: wrong }), 'MESSAGE_TOKEN_INVALID');
  }
  const answers: string[] = [];
  for (let count = 0; count < 3; count += 1) answers.push(await verify({ token }));
  t.equal(answers.filter((reason) => reason === 'answered').length, 1, 'a token works once');
  const { tokens } = await signIn();
  t.match(await strict.auth.getMe({}, by({ token: tokens?.accessToken })), { user: { email, emailVerified: true } });
  const [user] = await sql`select id from users where email = ${email}`;
  const proven = (await fixture.events('USER_UPDATED')).filter(({ subjectId }) => subjectId === user?.['id']);
  t.match(proven, [{ actorId: user?.['id'], ipAddress: '203.0.113.4', details: { changed: 'email_verified' } }]);
  t.ok(
    (await fixture.events('USER_LOGIN_FAILED')).some(({ details }) => details['reason'] === 'email-not-verified'),
    'S1.4: the refusal is on record',
  );
});

t.test('S1.3d: who registers a stranger’s address gets nothing by the stranger’s click (pre-hijacking)', async (t) => {
  const email = uniqueEmail();
  const intruders = goodPassword;
  await strict.auth.register({ email, password: intruders, name: 'Mallory' }, by({ ip: '203.0.113.66' }));
  const verify = async (password?: string) =>
    errorOf(strict.auth.verifyEmail({ token: await tokenSentTo(email), ...(password && { password }) }, by()));
  t.match(await verify(), { reason: 'VALIDATION_FAILED', violations: [{ field: 'password' }] }, 'a click is no proof');
  await passMinute();
  // The owner registers too: nobody tells that somebody has, and the password of the first stays.
  await strict.auth.register({ email, password: otherPassword, name: 'Jo' }, by());
  t.match(await verify(otherPassword), { reason: 'INVALID_PASSWORD' });
  const signIn = (password: string) => reasonOf(strict.auth.login({ email, password }, by()));
  t.equal(await signIn(intruders), 'EMAIL_NOT_VERIFIED', 'nor does the owner’s try help the intruder');
  const [user] = await sql`select id from users where email = ${email}`;
  const refused = (await fixture.events('USER_LOGIN_FAILED')).filter(({ subjectId }) => subjectId === user?.['id']);
  t.ok(
    refused.find(({ details }) => details['path'] === 'password'),
    'S1.4: on record',
  );
  // The way in for the owner of the mailbox: it proves the address, and the intruder's password is gone.
  await strict.auth.requestPasswordReset({ email }, by());
  const reset = (await fixture.notices('password-reset')).findLast((notice) => notice.email === email);
  await strict.auth.resetPassword({ token: reset?.values['token'] ?? '', newPassword: otherPassword }, by());
  t.equal(await signIn(intruders), 'INVALID_CREDENTIALS');
  t.ok((await strict.auth.login({ email, password: otherPassword }, by())).tokens);
});

t.test('ASVS V6.2.3: the password of a verification is no place to guess it', async (t) => {
  const email = uniqueEmail();
  await strict.auth.register({ email, password: goodPassword, name: 'Jo' }, by());
  const token = await tokenSentTo(email);
  const verify = (password: string) => reasonOf(strict.auth.verifyEmail({ token, password }, by()));
  const evaluations = countEvaluations(strict, (undo) => t.teardown(undo));
  const reasons = await Promise.all(Array.from({ length: 20 }, () => verify('wrong')));
  t.ok(evaluations() <= 5, `${evaluations()} evaluated`);
  t.ok(reasons.some((reason) => reason === 'SIGN_IN_BACKOFF' || reason === 'ACCOUNT_LOCKED'));
});

t.test('ASVS V6.4.1: a token proves the address that it was sent to, for a day', async (t) => {
  const late = await registerPerson(fixture);
  const lateToken = await tokenSentTo(late.email);
  await sql`update message_tokens set expire_time = clock_timestamp() where user_id = ${late.id}`;
  t.equal(await reasonOf(fixture.auth.verifyEmail({ token: lateToken }, by())), 'MESSAGE_TOKEN_INVALID');
  const moved = await registerPerson(fixture);
  const token = await tokenSentTo(moved.email);
  const admin = await makeAdmin(fixture);
  await passMinute();
  const email = uniqueEmail();
  await fixture.as('admin').updateUser({ userId: moved.id, email, actorId: admin.id }, by());
  t.equal(await reasonOf(fixture.auth.verifyEmail({ token }, by())), 'MESSAGE_TOKEN_INVALID');
  await fixture.auth.verifyEmail({ token: await tokenSentTo(email) }, by());
  const { user } = await fixture.auth
    .login({ email, password: goodPassword }, by())
    .then(({ tokens }) => fixture.auth.getMe({}, by({ token: tokens?.accessToken })));
  t.equal(user?.emailVerified, true);
});

t.test('B-notify: the message is sent again when asked, once a minute, until the address is proven', async (t) => {
  const person = await registerPerson(fixture);
  const resend = () => fixture.auth.resendVerification({}, by({ token: person.tokens.accessToken }));
  await resend();
  t.same(await templatesTo(person.email), ['verify-email'], 'within the minute');
  await passMinute();
  await resend();
  await resend();
  t.same(await templatesTo(person.email), ['verify-email', 'verify-email']);
  const token = await tokenSentTo(person.email);
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => reasonOf(fixture.auth.verifyEmail({ token }, by()))),
  );
  t.equal(answers.filter((reason) => reason === 'answered').length, 1, 'of parallel uses one counts');
  await passMinute();
  await resend();
  t.equal((await templatesTo(person.email)).length, 2, 'proven');
  t.equal(await reasonOf(fixture.auth.resendVerification({}, by())), 'UNAUTHENTICATED');
});

t.test('S2.5: a password that breaks a rule says which, and gives a hint', async (t) => {
  const attempt = (password: string, name = 'Jo Doe') =>
    errorOf(fixture.auth.register({ email: 'marigold.smith@example.com', password, name }, by()));
  const rules = async (password: string, name?: string) =>
    (await attempt(password, name)).violations?.map(({ field }) => field);
  for (const password of [
    'alllowercase-42!',
    'ALLUPPERCASE-42!',
    'No-Digits-Here!',
    'NoSymbolsHere42',
    'Password1234!',
  ]) {
    t.same(new Set(await rules(password)), new Set(['password']), password);
  }
  t.ok((await rules('Marigold.Smith-42!'))?.includes('password'), 'close to the address');
  t.ok((await rules('Wolfgang-Meier-42!', 'Wolfgang Meier'))?.includes('password'), 'close to the name');
});
