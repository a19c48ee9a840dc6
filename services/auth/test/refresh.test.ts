import { until } from '@strongroom/testkit';
import t from 'tap';
import { accessTokenId, encodeRefreshToken } from '../src/session/refresh-token.ts';
import { createAuthFixture, goodPassword, reasonOf, registerPerson } from './auth-fixture.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by, sql } = fixture;

/** Moves the last rotation into the past, as if the grace were over. */
const passGrace = (id: string) =>
  sql`update sessions set rotate_time = rotate_time - interval '11 seconds' where user_id = ${id}`;

t.test(
  'S1.2a, older fault 8: a refresh rotates both tokens, and the old one ends the session after the grace',
  async (t) => {
    const person = await registerPerson(fixture);
    const next = await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
    t.not(next.refreshToken, person.tokens.refreshToken);
    t.not(next.accessToken, person.tokens.accessToken);
    t.ok(await auth.getMe({}, by({ token: next.accessToken })));
    await passGrace(person.id);
    const reuse = auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
    t.equal(await reasonOf(reuse), 'TOKEN_REUSE_DETECTED', 'reuse is seen');
    t.equal(await reasonOf(auth.refresh({ refreshToken: next.refreshToken }, by())), 'TOKEN_REUSE_DETECTED');
    t.equal(await reasonOf(auth.getMe({}, by({ token: next.accessToken }))), 'TOKEN_REVOKED', 'F24: the newest too');
    const events = await fixture.events('TOKEN_REUSE_DETECTED');
    t.equal(events.filter(({ subjectId }) => subjectId === person.id).length, 1, 'F24: one security event');
  },
);

t.test('S1.2a: tokens are stored as hashes alone (older fault 12)', async (t) => {
  const person = await registerPerson(fixture);
  const { refreshToken } = await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
  const rows =
    await sql`select t.* from refresh_tokens t join sessions s on s.id = t.session_id where s.user_id = ${person.id}`;
  t.equal(rows.length, 2, 'old ones stay for audit');
  t.notMatch(JSON.stringify(rows), refreshToken.slice(4));
  t.ok(rows.find((row) => row['generation'] === 0)?.['use_time'], 'with the time of use');
});

t.test('S1.2b, F23: 50 parallel refreshes with one token: one successor, all answers equal', async (t) => {
  const person = await registerPerson(fixture);
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => auth.refresh({ refreshToken: person.tokens.refreshToken }, by())),
  );
  const distinct = new Set(answers.map(({ accessToken, refreshToken }) => `${accessToken} ${refreshToken}`));
  t.equal(distinct.size, 1);
  const [row] = await sql`select generation, revoke_time from sessions where user_id = ${person.id}`;
  t.match(row, { generation: 1, revoke_time: null });
});

t.test('S1.2b: within the grace another fingerprint ends the family', async (t) => {
  const person = await registerPerson(fixture);
  await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
  const thief = auth.refresh({ refreshToken: person.tokens.refreshToken }, by({ ip: '192.0.2.66' }));
  t.equal(await reasonOf(thief), 'TOKEN_REUSE_DETECTED');
});

t.test('S1.2b: N−2 ends the family, also within the grace', async (t) => {
  const person = await registerPerson(fixture);
  const first = await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
  await auth.refresh({ refreshToken: first.refreshToken }, by());
  t.equal(await reasonOf(auth.refresh({ refreshToken: person.tokens.refreshToken }, by())), 'TOKEN_REUSE_DETECTED');
});

t.test('F24: other families stay alive', async (t) => {
  const person = await registerPerson(fixture);
  const other = await auth.login({ email: person.email, password: goodPassword }, by());
  await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
  await passGrace(person.id);
  t.equal(await reasonOf(auth.refresh({ refreshToken: person.tokens.refreshToken }, by())), 'TOKEN_REUSE_DETECTED');
  t.ok(await auth.getMe({}, by({ token: other.tokens?.accessToken })), 'older fault 10: devices are apart');
  t.ok(await auth.refresh({ refreshToken: other.tokens?.refreshToken ?? '' }, by()));
});

t.test('S1.2b: a token that the session did not make ends nobody’s session', async (t) => {
  const person = await registerPerson(fixture);
  const [session] = await sql`select id from sessions where user_id = ${person.id}`;
  const sessionId = String(session?.['id']);
  const forged = encodeRefreshToken(Buffer.alloc(32, 1), { sessionId, generation: 0 });
  t.equal(await reasonOf(auth.refresh({ refreshToken: forged }, by())), 'REFRESH_TOKEN_INVALID');
  const { refreshToken } = person.tokens;
  for (const text of [
    'x',
    `${refreshToken}=`,
    ` ${refreshToken}`,
    refreshToken.slice(0, -1),
    person.tokens.accessToken,
  ]) {
    t.equal(await reasonOf(auth.refresh({ refreshToken: text }, by())), 'REFRESH_TOKEN_INVALID');
  }
  t.ok(await auth.refresh({ refreshToken }, by()));
});

t.test('S1.2d: REFRESH_FINGERPRINT_MODE=flag records and lets through, deny refuses', async (t) => {
  const person = await registerPerson(fixture);
  t.ok(await auth.refresh({ refreshToken: person.tokens.refreshToken }, by({ ip: '192.0.2.77' })));
  const flagged = (await fixture.events('ANOMALY_DETECTED')).filter(({ subjectId }) => subjectId === person.id);
  t.same(
    flagged.map(({ details }) => details['mode']),
    ['flag'],
  );

  const strict = await fixture.another({ REFRESH_FINGERPRINT_MODE: 'deny' });
  const careful = await registerPerson(fixture);
  const moved = strict.auth.refresh({ refreshToken: careful.tokens.refreshToken }, by({ ip: '192.0.2.78' }));
  t.equal(await reasonOf(moved), 'FINGERPRINT_MISMATCH');
  const denied = (await fixture.events('ANOMALY_DETECTED')).filter(({ subjectId }) => subjectId === careful.id);
  t.same(
    denied.map(({ details }) => details['mode']),
    ['deny'],
  );
  t.ok(await strict.auth.refresh({ refreshToken: careful.tokens.refreshToken }, by()), 'the owner goes on');
});

t.test(
  'ASVS V7.3.1, V7.3.2: idle and absolute lifetimes end a session, whatever the service’s clock (F15)',
  async (t) => {
    const idle = await registerPerson(fixture);
    await sql`update sessions set idle_expire_time = clock_timestamp() - interval '1 second' where user_id = ${idle.id}`;
    fixture.clock.offsetMs = -3_600_000;
    t.equal(await reasonOf(auth.refresh({ refreshToken: idle.tokens.refreshToken }, by())), 'SESSION_EXPIRED');
    fixture.clock.offsetMs = 0;
    const old = await registerPerson(fixture);
    await sql`update sessions set expire_time = clock_timestamp() + interval '1 hour' where user_id = ${old.id}`;
    const next = await auth.refresh({ refreshToken: old.tokens.refreshToken }, by());
    const [row] = await sql`select idle_expire_time = expire_time as capped from sessions where user_id = ${old.id}`;
    t.equal(row?.['capped'], true, 'rotation does not move the absolute end');
    await sql`update sessions set expire_time = clock_timestamp() - interval '1 second' where user_id = ${old.id}`;
    t.equal(await reasonOf(auth.refresh({ refreshToken: next.refreshToken }, by())), 'SESSION_EXPIRED');
  },
);

t.test('older fault 7: a refresh carries the role of now', async (t) => {
  const person = await registerPerson(fixture);
  await sql`update users set role = 'VENDOR' where id = ${person.id}`;
  const { accessToken } = await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { role: string };
  t.equal(claims.role, 'VENDOR');
});

t.test('ASVS V7.2.3, older fault 11: ten thousand tokens are unique', async (t) => {
  const { randomBytes, randomUUID } = await import('node:crypto');
  const tokens = new Set<string>();
  for (let count = 0; count < 10_000; count += 1) {
    const key = randomBytes(32);
    tokens.add(encodeRefreshToken(key, { sessionId: randomUUID(), generation: 0 }));
    tokens.add(accessTokenId(key, 0));
  }
  t.equal(tokens.size, 20_000);
});

t.test('S7.3: a refused token or challenge is on record, with the person if it was genuine', async (t) => {
  const person = await registerPerson(fixture);
  await auth.logout({}, by({ token: person.tokens.accessToken }));
  const caller = by({ ip: '198.51.100.99', agent: 'refused/1', device: 'device-9' });
  const answer = { case: 'code' as const, value: '000000' };
  const calls: [string, () => Promise<unknown>][] = [
    ['SESSION_REVOKED', () => auth.refresh({ refreshToken: person.tokens.refreshToken }, caller)],
    ['REFRESH_TOKEN_INVALID', () => auth.refresh({ refreshToken: 'not-one-of-ours' }, caller)],
    ['MFA_CHALLENGE_INVALID', () => auth.verifyMfa({ challengeId: 'x'.repeat(43), answer }, caller)],
    ['MESSAGE_TOKEN_INVALID', () => auth.verifyEmail({ token: 'x'.repeat(43) }, caller)],
  ];
  for (const [reason, call] of calls) {
    t.equal(await reasonOf(call()), reason);
    const event = await until(
      async () =>
        (await fixture.events('AUTHORIZATION_DENIED')).find(
          ({ ipAddress, details }) => ipAddress === '198.51.100.99' && details['reason'] === reason,
        ),
      { what: `${reason} on record` },
    );
    t.match(event, { actorId: '', userAgent: 'refused/1', deviceId: 'device-9', traceId: /^[0-9a-f]{32}$/ });
    t.equal(event.subjectId, reason === 'SESSION_REVOKED' ? person.id : '');
  }
});
