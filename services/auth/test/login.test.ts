import t from 'tap';
import {
  createAuthFixture,
  errorOf,
  goodPassword,
  makeAdmin,
  reasonOf,
  registerPerson,
  uniqueEmail,
} from './auth-fixture.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by, sql } = fixture;

t.test('S1.4: a sign-in gives tokens and an event with actor, address, agent and trace', async (t) => {
  const person = await registerPerson(fixture);
  const caller = { ip: '203.0.113.9', agent: 'agent/9' };
  const { tokens, deviceToken } = await auth.login({ email: person.email, password: goodPassword }, by(caller));
  t.match(tokens?.refreshToken, /^rt1_/);
  t.match(deviceToken, /^dt1_/);
  const events = await fixture.events('USER_LOGIN');
  const event = events.find(({ actorId }) => actorId === person.id);
  t.match(event, { actorKind: 'user', ipAddress: '203.0.113.9', userAgent: 'agent/9', subjectId: person.id });
  t.equal(event?.traceId.length, 32);
  t.match(event?.resourceId, /^[0-9a-f-]{36}$/);
});

t.test(
  'S1.4, older fault 14: a failed sign-in is refused and recorded, alike for known and unknown addresses',
  async (t) => {
    const person = await registerPerson(fixture);
    const before = (await fixture.events('USER_LOGIN_FAILED')).length;
    const known = await errorOf(auth.login({ email: person.email, password: 'wrong' }, by()));
    const unknown = await errorOf(auth.login({ email: uniqueEmail(), password: 'wrong' }, by()));
    t.equal(known.reason, 'INVALID_CREDENTIALS');
    t.same(
      { message: known.error.rawMessage, code: known.error.code, metadata: known.metadata },
      { message: unknown.error.rawMessage, code: unknown.error.code, metadata: unknown.metadata },
      'nothing tells them apart',
    );
    t.equal((await fixture.events('USER_LOGIN_FAILED')).length, before + 2);
  },
);

t.test('older fault 4: no answer and no Redis key holds a password hash', async (t) => {
  const person = await registerPerson(fixture);
  const { tokens } = await auth.login({ email: person.email, password: goodPassword }, by());
  const me = await auth.getMe({}, by({ token: tokens?.accessToken }));
  t.notMatch(
    JSON.stringify(me, (_key, value) => (typeof value === 'bigint' ? String(value) : value)),
    /\$2[aby]\$/,
  );
  for (const key of await fixture.app.deps.redis.keys('*')) {
    const value = await fixture.app.deps.redis.dump(key);
    t.notMatch(String(value), /\$2[aby]\$/, key);
  }
});

t.test('ASVS V6.2.8: every byte of a password counts, beyond the 72nd and after a NUL', async (t) => {
  const base = `Quartz-Tiger-42-Vault!${'x9-K'.repeat(14)}`;
  const email = uniqueEmail();
  await auth.register({ email, password: `${base}tail-A`, name: 'Long' }, by());
  t.equal(await reasonOf(auth.login({ email, password: `${base}tail-B` }, by())), 'INVALID_CREDENTIALS');
  t.ok((await auth.login({ email, password: `${base}tail-A` }, by())).tokens);
  const nulEmail = uniqueEmail();
  await auth.register({ email: nulEmail, password: `${goodPassword}\u0000one`, name: 'Nul' }, by());
  const other = auth.login({ email: nulEmail, password: `${goodPassword}\u0000two` }, by());
  t.equal(await reasonOf(other), 'INVALID_CREDENTIALS', 'NUL does not end the password');
});

t.test('older fault 16: addresses sign in whatever their case', async (t) => {
  const person = await registerPerson(fixture);
  t.ok((await auth.login({ email: person.email.toUpperCase(), password: goodPassword }, by())).tokens);
});

t.test('S1.2a: the stored scheme is named, and an older one is replaced at sign-in', async (t) => {
  const { default: bcrypt } = await import('bcryptjs');
  const person = await registerPerson(fixture);
  const [stored] = await sql`select password_hash from users where id = ${person.id}`;
  t.match(stored?.['password_hash'], /^\$strongroom\$v=1\$k=/);
  await sql`update users set password_hash = ${bcrypt.hashSync(goodPassword, 4)} where id = ${person.id}`;
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens, 'the older form opens');
  const [upgraded] = await sql`select password_hash from users where id = ${person.id}`;
  t.match(upgraded?.['password_hash'], /^\$strongroom\$v=1\$k=/, 'and is replaced');
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens);
});

t.test('S1.2a, ASVS V6.2.10: a password does not grow old', async (t) => {
  const person = await registerPerson(fixture);
  const age = sql`create_time = create_time - interval '400 days', update_time = update_time - interval '400 days'`;
  await sql`update users set ${age} where id = ${person.id}`;
  const { tokens, passwordChangeRequired } = await auth.login({ email: person.email, password: goodPassword }, by());
  t.equal(passwordChangeRequired, false);
  t.ok(await auth.listSessions({}, by({ token: tokens?.accessToken })));
});

t.test('ASVS V7.1.2: over SESSION_LIMIT the session least recently used ends', async (t) => {
  const person = await registerPerson(fixture);
  for (let count = 0; count < 10; count += 1) {
    await auth.login({ email: person.email, password: goodPassword }, by());
  }
  t.equal(await reasonOf(auth.getMe({}, by({ token: person.tokens.accessToken }))), 'TOKEN_REVOKED');
  const [row] =
    await sql`select count(*)::int as count from sessions where user_id = ${person.id} and revoke_time is null`;
  t.equal(row?.['count'], 10);
});

t.test('ASVS V6.3.5: a device not seen before is told to the owner, a known one is not', async (t) => {
  const person = await registerPerson(fixture);
  const mine = async () => (await fixture.notices('new-device')).filter(({ email }) => email === person.email).length;
  const first = await auth.login({ email: person.email, password: goodPassword }, by({ agent: 'laptop' }));
  t.equal(await mine(), 1);
  const { deviceToken } = first;
  await auth.login({ email: person.email, password: goodPassword, deviceToken }, by({ agent: 'laptop/2' }));
  t.equal(await mine(), 1);
});

t.test(
  'ASVS V6.3.2, older fault 56: the first administrator must change a random password before anything else',
  async (t) => {
    const { provideFirstAdmin } = await import('../src/user/first-admin.ts');
    const { readFile, stat } = await import('node:fs/promises');
    const made = await Promise.all([1, 2, 3].map(() => provideFirstAdmin(fixture.app.deps)));
    t.equal(made.filter(Boolean).length, 1, 'one, however many start at once');
    const path = fixture.app.deps.config.FIRST_ADMIN_FILE;
    t.equal((await stat(path)).mode & 0o777, 0o600);
    const { email, password } = JSON.parse(await readFile(path, 'utf8')) as { email: string; password: string };
    t.notMatch(fixture.logs.join(''), password);
    const { tokens, passwordChangeRequired } = await auth.login({ email, password }, by());
    t.equal(passwordChangeRequired, true);
    t.ok(await auth.getMe({}, by({ token: tokens?.accessToken })));
    const lists = auth.listSessions({}, by({ token: tokens?.accessToken }));
    t.equal(await reasonOf(lists), 'PASSWORD_CHANGE_REQUIRED');
    const newPassword = 'Copper-Lantern-58-Meadow!';
    await auth.changePassword({ currentPassword: password, newPassword }, by({ token: tokens?.accessToken }));
    const again = await auth.login({ email, password: newPassword }, by());
    t.equal(again.passwordChangeRequired, false);
    t.ok(await auth.listSessions({}, by({ token: again.tokens?.accessToken })));
  },
);

t.test('S1.3a: a suspended account is answered like a wrong password', async (t) => {
  const admin = await makeAdmin(fixture);
  const person = await registerPerson(fixture);
  await fixture.as('admin').setStatus({ userId: person.id, status: 2, reason: 'test', actorId: admin.id }, by());
  const refused = auth.login({ email: person.email, password: goodPassword }, by());
  t.equal(await reasonOf(refused), 'INVALID_CREDENTIALS');
  t.equal(await reasonOf(auth.refresh({ refreshToken: person.tokens.refreshToken }, by())), 'SESSION_REVOKED');
});
