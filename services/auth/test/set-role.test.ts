import t from 'tap';
import { createAuthFixture, goodPassword, makeAdmin, reasonOf, registerPerson, uniqueEmail } from './auth-fixture.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by, sql } = fixture;
const admin = fixture.as('admin');

t.test('older fault 34: two administrators who demote each other at once leave one', async (t) => {
  for (let round = 0; round < 5; round += 1) {
    await sql`update users set role = 'CUSTOMER' where role = 'ADMIN'`;
    const [a, b] = [await makeAdmin(fixture), await makeAdmin(fixture)];
    const demote = (userId: string, actorId: string) =>
      reasonOf(admin.setRole({ userId, role: 1, reason: 'x', actorId }, by()));
    await Promise.all([demote(a.id, b.id), demote(b.id, a.id)]);
    const [row] = await sql`select count(*)::int as count from users where role = 'ADMIN' and status = 'ACTIVE'`;
    t.equal(row?.['count'], 1);
  }
});

t.test('older fault 34: the last administrator stays, and nobody acts on himself', async (t) => {
  await sql`update users set role = 'CUSTOMER' where role = 'ADMIN'`;
  const only = await makeAdmin(fixture);
  const own = { userId: only.id, actorId: only.id, reason: 'x' };
  t.equal(await reasonOf(admin.setRole({ ...own, role: 1 }, by())), 'LAST_ADMIN');
  const second = await makeAdmin(fixture);
  t.ok(second.id);
  t.equal(await reasonOf(admin.setRole({ ...own, role: 1 }, by())), 'SELF_NOT_ALLOWED');
  t.equal(await reasonOf(admin.setStatus({ ...own, status: 2 }, by())), 'SELF_NOT_ALLOWED');
  t.equal(await reasonOf(admin.deleteUser(own, by())), 'SELF_NOT_ALLOWED');
  const person = await registerPerson(fixture);
  const fake = admin.setRole({ userId: person.id, actorId: person.id, role: 3, reason: 'x' }, by());
  t.equal(await reasonOf(fake), 'FORBIDDEN', 'the actor must be an administrator');
});

t.test('older faults 7, 32, 33: role, status and deletion count at the very next call', async (t) => {
  const actor = await makeAdmin(fixture);
  const acts = [
    (userId: string) => admin.setRole({ userId, actorId: actor.id, role: 2, reason: 'x' }, by()),
    (userId: string) => admin.setStatus({ userId, actorId: actor.id, status: 2, reason: 'x' }, by()),
    (userId: string) => admin.deleteUser({ userId, actorId: actor.id, reason: 'x' }, by()),
  ];
  for (const act of acts) {
    const person = await registerPerson(fixture);
    await act(person.id);
    t.equal(await reasonOf(auth.getMe({}, by({ token: person.tokens.accessToken }))), 'TOKEN_REVOKED');
    t.equal(await reasonOf(auth.refresh({ refreshToken: person.tokens.refreshToken }, by())), 'SESSION_REVOKED');
  }
  const deleted = (await fixture.events('USER_DELETED')).at(-1)?.resourceId ?? '';
  const [row] = await sql`select email, name, status from users where id = ${deleted}`;
  t.match(row, { email: null, name: '', status: 'DELETED' });
});

t.test('S7.2: for an anomaly admin may suspend without an administrator, and nothing more', async (t) => {
  const person = await registerPerson(fixture);
  const bySystem = { userId: person.id, reason: 'anomaly', actorId: '' };
  await admin.setStatus({ ...bySystem, status: 2 }, by());
  t.equal(await reasonOf(auth.getMe({}, by({ token: person.tokens.accessToken }))), 'TOKEN_REVOKED');
  t.match((await fixture.events('USER_STATUS_CHANGED')).at(-1), { resourceId: person.id, actorKind: 'service' });
  t.equal(await reasonOf(admin.setStatus({ ...bySystem, status: 1 }, by())), 'FORBIDDEN', 'lets nobody in again');
  await sql`update users set role = 'CUSTOMER' where role = 'ADMIN'`;
  const only = await makeAdmin(fixture);
  t.equal(await reasonOf(admin.setStatus({ ...bySystem, userId: only.id, status: 2 }, by())), 'LAST_ADMIN');
});

t.test('older faults 1, 2: internal methods need a service identity, and registration asks for no role', async (t) => {
  t.equal(await reasonOf(auth.getUsers({}, by())), 'FORBIDDEN');
  const extra = { email: uniqueEmail(), password: goodPassword, name: 'X', role: 3 };
  t.equal((await auth.register(extra, by())).user?.role, 1);
});

t.test(
  'older fault 35: a user made by an administrator is invited, has no session and sets the password',
  async (t) => {
    const actor = await makeAdmin(fixture);
    const email = uniqueEmail();
    const { user } = await admin.createUser({ email, name: 'New', role: 2, actorId: actor.id }, by());
    const [row] = await sql`select count(*)::int as count from sessions where user_id = ${user?.id ?? ''}`;
    t.equal(row?.['count'], 0);
    t.equal(await reasonOf(auth.login({ email, password: goodPassword }, by())), 'INVALID_CREDENTIALS');
    const token = (await fixture.notices('invitation')).at(-1)?.values['token'] ?? '';
    await auth.resetPassword({ token, newPassword: goodPassword }, by());
    t.ok((await auth.login({ email, password: goodPassword }, by())).tokens);
    const renamed = await admin.updateUser({ userId: user?.id ?? '', name: 'Newer', actorId: actor.id }, by());
    t.equal(renamed.user?.name, 'Newer');
    const stale = admin.updateUser({ userId: user?.id ?? '', name: 'Z', etag: '"1"', actorId: actor.id }, by());
    t.equal(await reasonOf(stale), 'ETAG_MISMATCH');
    const pages = await admin.getUsers({ pageSize: 2, orderBy: 'createTime desc' }, by());
    const next = await admin.getUsers(
      { pageSize: 2, orderBy: 'createTime desc', pageToken: pages.nextPageToken },
      by(),
    );
    t.notOk(next.users.some(({ id }) => pages.users.some((known) => known.id === id)));
    t.equal((await fixture.as('payments').findUserByEmail({ email }, by())).user?.id, user?.id);
  },
);
