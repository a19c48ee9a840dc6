// Auth broken off just before and just after the commit of what it does; what is left is judged by an instance that
// goes on, as the client's next try would meet it.
import t, { type Test } from 'tap';
import { codeAt, stepAt } from '../src/mfa/totp.ts';
import { type Auth, type AuthFixture, goodPassword, otherPassword, reasonOf, registerPerson } from './auth-fixture.ts';

/** Sends a call to an instance that breaks off at the failpoint, and waits until it has. */
export type BreakOff = (t: Test, failpoint: string, call: (victim: Auth) => Promise<unknown>) => Promise<void>;

export function testCrashes(fixture: AuthFixture, dieAt: BreakOff): void {
  const { auth, by, sql } = fixture;

  const unusedTokens = async (userId: string) => {
    const [row] = await sql`
    select count(*)::int as count from refresh_tokens t join sessions s on s.id = t.session_id
    where s.user_id = ${userId} and t.use_time is null and not t.revoked`;
    return row?.['count'];
  };

  t.test('F25: broken off before the commit of a refresh, the old token is as good as before', async (t) => {
    const person = await registerPerson(fixture);
    const { refreshToken } = person.tokens;
    await dieAt(t, 'auth.refresh.before-commit', (victim) => victim.refresh({ refreshToken }, by()));
    t.equal(await unusedTokens(person.id), 1);
    const next = await auth.refresh({ refreshToken }, by());
    t.ok(await auth.refresh({ refreshToken: next.refreshToken }, by()));
  });

  t.test(
    'F25: broken off after the commit of a refresh, the retry gets the successor; outside the grace it ends',
    async (t) => {
      const [person, late] = [await registerPerson(fixture), await registerPerson(fixture)];
      const { refreshToken } = person.tokens;
      await dieAt(t, 'auth.refresh.after-commit', (victim) => victim.refresh({ refreshToken }, by()));
      t.equal(await unusedTokens(person.id), 1);
      const next = await auth.refresh({ refreshToken }, by());
      t.ok(await auth.getMe({}, by({ token: next.accessToken })), 'nobody is logged out');
      t.ok(await auth.refresh({ refreshToken: next.refreshToken }, by()));
      await dieAt(t, 'auth.refresh.after-commit', (victim) =>
        victim.refresh({ refreshToken: late.tokens.refreshToken }, by()),
      );
      await sql`update sessions set rotate_time = rotate_time - interval '11 seconds' where user_id = ${late.id}`;
      t.equal(await reasonOf(auth.refresh({ refreshToken: late.tokens.refreshToken }, by())), 'TOKEN_REUSE_DETECTED');
    },
  );

  const passwordEvents = async (userId: string) =>
    (await fixture.events('USER_PASSWORD_CHANGED')).filter(({ subjectId }) => subjectId === userId).length;
  const change = { currentPassword: goodPassword, newPassword: otherPassword };

  t.test('F25: broken off before the commit of a password change, nothing has changed', async (t) => {
    const person = await registerPerson(fixture);
    const mine = by({ token: person.tokens.accessToken });
    await dieAt(t, 'auth.change-password.before-commit', (victim) => victim.changePassword(change, mine));
    t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens);
    t.ok(await auth.getMe({}, mine), 'the session lives');
    t.equal(await passwordEvents(person.id), 0);
    t.equal((await fixture.notices('password-changed')).length, 0);
  });

  t.test('F25: broken off after the commit of a password change, all of it has', async (t) => {
    const person = await registerPerson(fixture);
    const mine = by({ token: person.tokens.accessToken });
    await dieAt(t, 'auth.change-password.after-commit', (victim) => victim.changePassword(change, mine));
    // The one that died could not tell Redis: whoever renews the marker next does (here without waiting for its turn).
    await fixture.app.deps.denylist.renew();
    t.equal(await reasonOf(auth.getMe({}, mine)), 'TOKEN_REVOKED');
    t.equal(await reasonOf(auth.refresh({ refreshToken: person.tokens.refreshToken }, by())), 'SESSION_REVOKED');
    const old = auth.login({ email: person.email, password: goodPassword }, by());
    t.equal(await reasonOf(old), 'INVALID_CREDENTIALS');
    t.ok((await auth.login({ email: person.email, password: otherPassword }, by())).tokens);
    t.equal(await passwordEvents(person.id), 1);
    t.equal((await fixture.notices('password-changed')).filter(({ email }) => email === person.email).length, 1);
  });

  t.test('F25: broken off before the commit of an enrolment, it waits for its proof as before', async (t) => {
    const person = await registerPerson(fixture);
    const mine = by({ token: person.tokens.accessToken });
    const { secret } = await auth.enrollTotp({}, mine);
    const proof = { code: codeAt(secret, stepAt(Date.now())) };
    await dieAt(t, 'auth.confirm-totp.before-commit', (victim) => victim.confirmTotp(proof, mine));
    t.match(await auth.getMfaStatus({}, mine), { enabled: false, totp: false, backupCodesLeft: 0 });
    t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens, 'the password alone');
    const again = { code: codeAt(secret, stepAt(Date.now())) };
    t.equal((await auth.confirmTotp(again, mine)).backupCodes.length, 10, 'the code was not used up');
  });

  t.test('F25: broken off after the commit of an enrolment, the factor is on, and new codes can be had', async (t) => {
    const person = await registerPerson(fixture);
    const mine = by({ token: person.tokens.accessToken });
    const { secret } = await auth.enrollTotp({}, mine);
    const proof = { code: codeAt(secret, stepAt(Date.now())) };
    await dieAt(t, 'auth.confirm-totp.after-commit', (victim) => victim.confirmTotp(proof, mine));
    const { mfaChallenge } = await auth.login({ email: person.email, password: goodPassword }, by());
    t.same(mfaChallenge?.methods, ['totp', 'backup_code']);
    const next = await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
    const { backupCodes } = await auth.regenerateBackupCodes({}, by({ token: next.accessToken }));
    const answer = { case: 'backupCode' as const, value: backupCodes[0] ?? '' };
    t.ok((await auth.verifyMfa({ challengeId: mfaChallenge?.id ?? '', answer }, by())).tokens);
  });
}
