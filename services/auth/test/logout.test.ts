import t from 'tap';
import { createAuthFixture, goodPassword, otherPassword, reasonOf, registerPerson } from './auth-fixture.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by } = fixture;

t.test('ASVS V7.4.1: a logout ends the session at once, and no other (older faults 9, 10)', async (t) => {
  const person = await registerPerson(fixture);
  const other = await auth.login({ email: person.email, password: goodPassword }, by());
  await auth.logout({}, by({ token: person.tokens.accessToken }));
  t.equal(await reasonOf(auth.getMe({}, by({ token: person.tokens.accessToken }))), 'TOKEN_REVOKED');
  t.equal(await reasonOf(auth.refresh({ refreshToken: person.tokens.refreshToken }, by())), 'SESSION_REVOKED');
  t.ok(await auth.getMe({}, by({ token: other.tokens?.accessToken })));
  t.equal((await fixture.events('USER_LOGOUT')).length, 1);
});

t.test(
  'older fault 9: after a full logout a new sign-in works and refreshes, also within the same second',
  async (t) => {
    const person = await registerPerson(fixture);
    for (let count = 0; count < 5; count += 1) {
      const { tokens } = await auth.login({ email: person.email, password: goodPassword }, by());
      t.ok(await auth.getMe({}, by({ token: tokens?.accessToken })), 'the new token is taken');
      const next = await auth.refresh({ refreshToken: tokens?.refreshToken ?? '' }, by());
      const { revokedCount } = await auth.logoutAll({}, by({ token: next.accessToken }));
      t.equal(revokedCount, count === 0 ? 2 : 1);
      t.equal(await reasonOf(auth.getMe({}, by({ token: next.accessToken }))), 'TOKEN_REVOKED', 'the old one is not');
    }
  },
);

t.test('ASVS V7.5.2: sessions are listed and ended by their owner alone (older fault 13)', async (t) => {
  const person = await registerPerson(fixture);
  const stranger = await registerPerson(fixture);
  const other = await auth.login({ email: person.email, password: goodPassword }, by({ agent: 'phone' }));
  const mine = by({ token: person.tokens.accessToken });
  const { sessions } = await auth.listSessions({}, mine);
  t.same(
    sessions.map(({ userAgent, current }) => [userAgent, current]),
    [
      ['phone', false],
      ['test-agent/1', true],
    ],
  );
  const first = await auth.listSessions({ pageSize: 1 }, mine);
  const second = await auth.listSessions({ pageSize: 1, pageToken: first.nextPageToken }, mine);
  t.same(
    [...first.sessions, ...second.sessions].map(({ id }) => id),
    sessions.map(({ id }) => id),
  );
  const foreign = auth.listSessions({ pageToken: first.nextPageToken }, by({ token: stranger.tokens.accessToken }));
  t.equal(await reasonOf(foreign), 'PAGE_TOKEN_INVALID');
  const id = sessions[0]?.id ?? '';
  const theft = auth.revokeSession({ id }, by({ token: stranger.tokens.accessToken }));
  t.equal(await reasonOf(theft), 'SESSION_NOT_FOUND', 'ASVS V8.2.2');
  await auth.revokeSession({ id }, mine);
  t.equal(await reasonOf(auth.getMe({}, by({ token: other.tokens?.accessToken }))), 'TOKEN_REVOKED');
  t.ok(await auth.getMe({}, mine));
});

t.test('S1.2e: a password change ends every session, or all but the caller’s own', async (t) => {
  const person = await registerPerson(fixture);
  const other = await auth.login({ email: person.email, password: goodPassword }, by());
  const change = { currentPassword: goodPassword, newPassword: otherPassword, keepSession: true };
  await auth.changePassword(change, by({ token: person.tokens.accessToken }));
  t.ok(await auth.getMe({}, by({ token: person.tokens.accessToken })), 'kept');
  t.equal(await reasonOf(auth.getMe({}, by({ token: other.tokens?.accessToken }))), 'TOKEN_REVOKED');
  t.equal(await reasonOf(auth.refresh({ refreshToken: other.tokens?.refreshToken ?? '' }, by())), 'SESSION_REVOKED');
  const back = { currentPassword: otherPassword, newPassword: goodPassword };
  await auth.changePassword(back, by({ token: person.tokens.accessToken }));
  t.equal(
    await reasonOf(auth.getMe({}, by({ token: person.tokens.accessToken }))),
    'TOKEN_REVOKED',
    'not asked to keep',
  );
  t.equal((await fixture.notices('password-changed')).filter(({ email }) => email === person.email).length, 2);
});
