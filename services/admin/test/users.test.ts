import { randomUUID } from 'node:crypto';
import { Code } from '@connectrpc/connect';
import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, defineErrors, isServiceError, readServiceError } from '@strongroom/platform/errors';
import tap from 'tap';
import { startAdmin } from './admin-fixture.ts';

const authErrors = defineErrors('auth.strongroom', {
  LAST_ADMINISTRATOR: {
    code: Code.FailedPrecondition,
    status: 409,
    message: 'The last active administrator stays one.',
    retry: 'never',
    level: 'info',
  },
  EMAIL_EXISTS: { code: Code.AlreadyExists, status: 409, message: 'Taken.', retry: 'never', level: 'info' },
});

tap.test(
  "S7.3: every act on a user is auth's, on behalf of the administrator who asks (older faults 32, 33, 35)",
  async (t) => {
    const calls: [string, Record<string, unknown>][] = [];
    const id = randomUUID();
    const user = { id, email: 'ada@example.com', name: 'Ada', role: Role.CUSTOMER, status: UserStatus.ACTIVE };
    const record = (name: string) => (request: object) => {
      calls.push([name, Object.fromEntries(Object.entries(request).filter(([key]) => !key.startsWith('$')))]);
      return { user };
    };
    const admin = await startAdmin(t, {
      auth: {
        createUser: record('createUser'),
        updateUser: record('updateUser'),
        setRole: record('setRole'),
        setStatus: record('setStatus'),
        deleteUser: (request) => {
          record('deleteUser')(request);
          return {};
        },
        revokeUserSessions: (request) => {
          record('revokeUserSessions')(request);
          return { revokedCount: 3 };
        },
        getUsers: ({ ids }) => ({
          users: ids.length === 0 || ids.includes(id) ? [user] : [],
          nextPageToken: 'next',
          activeAdminCount: 1,
        }),
      },
    });
    const { client } = admin;
    const as = admin.as();
    t.match((await client.createUser({ email: 'ada@example.com', name: 'Ada', role: Role.VENDOR }, as)).user, user);
    t.match((await client.updateUser({ id, name: 'Ada L.' }, as)).user, user);
    await client.setUserRole({ id, role: Role.ADMIN, reason: 'promoted' }, as);
    await client.setUserStatus({ id, status: UserStatus.SUSPENDED, reason: 'asked for' }, as);
    await client.deleteUser({ id, reason: 'gone' }, as);
    t.equal((await client.revokeUserSessions({ id }, as)).revokedCount, 3);
    t.match((await client.getUser({ id }, as)).user, user);
    t.match(await client.listUsers({ search: 'ada', pageSize: 5 }, as), { users: [user], nextPageToken: 'next' });
    t.ok(
      isServiceError(await client.getUser({ id: randomUUID() }, as).catch((error: unknown) => error), 'USER_NOT_FOUND'),
    );
    t.strictSame(
      calls.map(([name]) => name),
      ['createUser', 'updateUser', 'setRole', 'setStatus', 'deleteUser', 'revokeUserSessions'],
    );
    for (const [name, request] of calls.slice(0, 5))
      t.equal(request['actorId'], admin.adminId, `${name} names who acts`);
    t.match(calls[2]?.[1], { userId: id, role: Role.ADMIN, reason: 'promoted' });
  },
);

tap.test('S7.3: what auth refuses keeps its reason and status (older fault 34)', async (t) => {
  const admin = await startAdmin(t, {
    auth: {
      setRole: () => {
        throw authErrors.LAST_ADMINISTRATOR();
      },
      createUser: () => {
        throw authErrors.EMAIL_EXISTS();
      },
      updateUser: () => {
        throw commonErrors.ETAG_MISMATCH();
      },
    },
  });
  const id = randomUUID();
  const refusals: [string, number, Promise<unknown>][] = [
    ['LAST_ADMINISTRATOR', 409, admin.client.setUserRole({ id, role: Role.CUSTOMER }, admin.as())],
    [
      'EMAIL_EXISTS',
      409,
      admin.client.createUser({ email: 'a@example.com', name: 'A', role: Role.CUSTOMER }, admin.as()),
    ],
    ['ETAG_MISMATCH', 412, admin.client.updateUser({ id, name: 'B', etag: 'old' }, admin.as())],
  ];
  for (const [reason, status, call] of refusals) {
    const error = await call.catch((caught: unknown) => caught);
    t.match(readServiceError(error), { reason, status });
  }
});

tap.test('S7.3: nobody but an administrator administers', async (t) => {
  const admin = await startAdmin(t);
  const id = randomUUID();
  for (const role of ['CUSTOMER', 'VENDOR'] as const) {
    const as = admin.as(randomUUID(), role);
    const calls = [
      () => admin.client.listUsers({}, as),
      () => admin.client.getUser({ id }, as),
      () => admin.client.setUserRole({ id, role: Role.ADMIN }, as),
      () => admin.client.deleteUser({ id }, as),
    ];
    for (const call of calls) t.ok(isServiceError(await call().catch((error: unknown) => error), 'FORBIDDEN'));
  }
});
