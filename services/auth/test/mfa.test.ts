import t from 'tap';
import { backupCodeHash } from '../src/mfa/backup-code.ts';
import { codeAt, stepAt, stepOfCode, totpPeriodS } from '../src/mfa/totp.ts';
import { completeRecoveries } from '../src/recovery/complete-recoveries.ts';
import {
  type AuthFixture,
  createAuthFixture,
  goodPassword,
  makeAdmin,
  otherPassword,
  reasonOf,
  registerPerson,
} from './auth-fixture.ts';

// Challenges are made one by one, and hashes take their time on a small machine.
t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by, sql } = fixture;

/** The code of now and, by moving the service's clock, of later steps. */
const codeNow = (seed: string) => codeAt(seed, stepAt(Date.now() + fixture.clock.offsetMs));
const nextStep = () => {
  fixture.clock.offsetMs += totpPeriodS * 1000;
};

async function enrol(of: AuthFixture = fixture, client = of.auth) {
  const person = await registerPerson(of);
  const { tokens } = await client.login({ email: person.email, password: goodPassword }, by());
  const mine = by({ token: tokens?.accessToken });
  const { secret, ...shown } = await client.enrollTotp({}, mine);
  const { backupCodes } = await client.confirmTotp({ code: codeNow(secret) }, mine);
  nextStep();
  return { ...person, seed: secret, shown, backupCodes, refreshToken: tokens?.refreshToken ?? '', mine };
}

async function challengeOf(email: string, password = goodPassword): Promise<string> {
  const { mfaChallenge, tokens } = await auth.login({ email, password }, by());
  t.equal(tokens, undefined, 'no token before the second factor');
  return mfaChallenge?.id ?? '';
}
const code = (value: string) => ({ answer: { case: 'code' as const, value } });
const backup = (value: string) => ({ answer: { case: 'backupCode' as const, value } });

t.test('S7.1: RFC 6238 appendix B, SHA-1, the last six of its eight digits', async (t) => {
  const seed = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'; // 12345678901234567890
  const vectors: [number, string][] = [
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ];
  for (const [seconds, expected] of vectors) t.equal(codeAt(seed, stepAt(seconds * 1000)), expected, String(seconds));
  const nowMs = 1234567890_000;
  t.equal(stepOfCode(seed, codeAt(seed, stepAt(nowMs) - 1), nowMs), stepAt(nowMs) - 1, 'one step back');
  t.equal(stepOfCode(seed, codeAt(seed, stepAt(nowMs) - 2), nowMs), undefined, 'no more');
  t.equal(stepOfCode(seed, codeAt(seed, stepAt(nowMs) + 1), nowMs), undefined, 'none ahead');
});

t.test('S7.1: enrolment shows a QR code and counts only once proven; then sign-in asks for the code', async (t) => {
  const person = await registerPerson(fixture);
  const mine = by({ token: person.tokens.accessToken });
  const shown = await auth.enrollTotp({}, mine);
  t.match(shown.otpauthUri, /^otpauth:\/\/totp\/Strongroom/);
  t.match(shown.qrCodeSvg, /<svg/);
  t.equal(Buffer.from(shown.qrCodePng).subarray(1, 4).toString(), 'PNG');
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens, 'not yet proven');
  t.equal(await reasonOf(auth.confirmTotp({ code: '000000' }, mine)), 'MFA_CODE_INVALID');
  const { backupCodes } = await auth.confirmTotp({ code: codeNow(shown.secret) }, mine);
  t.equal(new Set(backupCodes).size, 10);
  const challengeId = await challengeOf(person.email);
  const used = auth.verifyMfa({ challengeId, ...code(codeNow(shown.secret)) }, by());
  t.equal(await reasonOf(used), 'MFA_CODE_INVALID', 'the step of the proof is used');
  nextStep();
  const { tokens } = await auth.verifyMfa({ challengeId, ...code(codeNow(shown.secret)) }, by());
  const claims = JSON.parse(Buffer.from(tokens?.accessToken.split('.')[1] ?? '', 'base64url').toString());
  t.match(claims, { amr: ['pwd', 'otp', 'mfa'], mfe: true });
  const again = auth.verifyMfa({ challengeId, ...code(codeNow(shown.secret)) }, by());
  t.equal(await reasonOf(again), 'MFA_CHALLENGE_INVALID', 'V6.6.2: a challenge is answered once');
  t.equal((await fixture.notices('mfa-enabled')).filter(({ email }) => email === person.email).length, 1);
  const rows = await sql`select seed, pending_seed from totp_factors where user_id = ${person.id}`;
  t.notMatch(JSON.stringify(rows), shown.secret, 'S4.3: the seed is sealed');
});

t.test('F27: one code in 50 parallel answers succeeds once', async (t) => {
  const person = await enrol();
  const challenges: string[] = [];
  for (let count = 0; count < 10; count += 1) challenges.push(await challengeOf(person.email));
  const value = codeNow(person.seed);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      reasonOf(auth.verifyMfa({ challengeId: challenges[index % 10] ?? '', ...code(value) }, by())),
    ),
  );
  t.equal(answers.filter((reason) => reason === 'answered').length, 1);
});

t.test('F27: the last backup code in 20 parallel answers succeeds once', async (t) => {
  const person = await enrol();
  const last = person.backupCodes[9] ?? '';
  const hash = backupCodeHash(fixture.app.deps.keyring.subkey('backup-code'), person.id, last);
  await sql`update backup_codes set use_time = now() where user_id = ${person.id} and code_hash <> ${hash}`;
  const challenges: string[] = [];
  for (let count = 0; count < 20; count += 1) challenges.push(await challengeOf(person.email));
  const answers = await Promise.all(
    challenges.map((challengeId) => reasonOf(auth.verifyMfa({ challengeId, ...backup(last) }, by()))),
  );
  t.equal(answers.filter((reason) => reason === 'answered').length, 1);
});

t.test('S7.1: guessing six digits locks, over challenges, and a new sign-in resets nothing (V6.6.3)', async (t) => {
  const person = await enrol();
  for (let count = 0; count < 5; count += 1) {
    const challengeId = await challengeOf(person.email);
    await reasonOf(auth.verifyMfa({ challengeId, ...code('000000') }, by()));
  }
  const challengeId = await challengeOf(person.email);
  const right = auth.verifyMfa({ challengeId, ...code(codeNow(person.seed)) }, by());
  t.equal(await reasonOf(right), 'MFA_LOCKED');
  t.ok((await fixture.events('MFA_FAILED')).some(({ subjectId }) => subjectId === person.id));
});

t.test('ASVS V6.6.2: a challenge of one person does not take the code of another', async (t) => {
  const [one, other] = [await enrol(), await enrol()];
  const challengeId = await challengeOf(one.email);
  const foreign = auth.verifyMfa({ challengeId, ...code(codeNow(other.seed)) }, by());
  t.equal(await reasonOf(foreign), 'MFA_CODE_INVALID');
});

t.test('ASVS V6.4.3: a reset does not get around the second factor, and ends every session', async (t) => {
  const person = await enrol();
  await auth.requestPasswordReset({ email: person.email }, by());
  const notice = (await fixture.notices('password-reset')).findLast(({ email }) => email === person.email);
  const token = notice?.values['token'] ?? '';
  t.equal(await reasonOf(auth.resetPassword({ token, newPassword: 'short' }, by())), 'VALIDATION_FAILED');
  await auth.resetPassword({ token, newPassword: otherPassword }, by());
  t.equal(await reasonOf(auth.getMe({}, person.mine)), 'TOKEN_REVOKED');
  const twice = auth.resetPassword({ token, newPassword: 'Copper-Lantern-58-Meadow!' }, by());
  t.equal(await reasonOf(twice), 'MESSAGE_TOKEN_INVALID', 'once');
  t.ok(await challengeOf(person.email, otherPassword));
});

t.test('S7.1: step-up shows the factor again; the token before ends', async (t) => {
  const person = await enrol();
  const challengeId = await challengeOf(person.email);
  const { tokens } = await auth.verifyMfa({ challengeId, ...code(codeNow(person.seed)) }, by());
  nextStep();
  const mine = by({ token: tokens?.accessToken });
  await sql`update sessions set authentication_time = now() - interval '1 hour' where user_id = ${person.id}`;
  const stale = await auth.refresh({ refreshToken: tokens?.refreshToken ?? '' }, by());
  const old = by({ token: stale.accessToken });
  t.equal(await reasonOf(auth.regenerateBackupCodes({}, old)), 'STEP_UP_REQUIRED', 'V7.5.1');
  t.equal(await reasonOf(auth.stepUp({ password: goodPassword }, old)), 'STEP_UP_REQUIRED', 'a password is not enough');
  const fresh = await auth.stepUp({ code: codeNow(person.seed) }, old);
  t.equal(await reasonOf(auth.getMe({}, old)), 'TOKEN_REVOKED', 'V7.2.4');
  const { backupCodes } = await auth.regenerateBackupCodes({}, by({ token: fresh.accessToken }));
  t.equal(backupCodes.length, 10);
  t.ok(await auth.getMe({}, mine), 'other tokens of the session go on');
});

t.test('S7.1: disabling removes every factor and ends other sessions', async (t) => {
  const person = await enrol();
  const challengeId = await challengeOf(person.email);
  const other = await auth.verifyMfa({ challengeId, ...code(codeNow(person.seed)) }, by());
  const { accessToken } = await auth.refresh({ refreshToken: person.refreshToken }, by());
  const mine = by({ token: accessToken });
  t.equal(await reasonOf(auth.disableMfa({ password: 'wrong' }, mine)), 'INVALID_PASSWORD');
  await auth.disableMfa({ password: goodPassword }, mine);
  t.equal(await reasonOf(auth.getMe({}, by({ token: other.tokens?.accessToken }))), 'TOKEN_REVOKED');
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens);
  t.match(await auth.getMfaStatus({}, mine), { enabled: false, totp: false, backupCodesLeft: 0 });
});

t.test('S7.1: a role of MFA_REQUIRED_ROLES without a factor may only enrol', async (t) => {
  const strict = await fixture.another({ MFA_REQUIRED_ROLES: 'ADMIN' });
  const admin = await makeAdmin(fixture);
  const signedIn = await strict.auth.login({ email: admin.email, password: goodPassword }, by());
  t.equal(signedIn.mfaEnrollmentRequired, true);
  const mine = by({ token: signedIn.tokens?.accessToken });
  t.equal(await reasonOf(strict.auth.getLockout({ email: admin.email }, mine)), 'PASSWORD_CHANGE_REQUIRED');
  t.equal(await reasonOf(strict.auth.listSessions({}, mine)), 'PASSWORD_CHANGE_REQUIRED');
  t.equal((await strict.auth.getMfaStatus({}, mine)).required, true);
  const { secret } = await strict.auth.enrollTotp({}, mine);
  await strict.auth.confirmTotp({ code: codeNow(secret) }, mine);
  const next = await strict.auth.refresh({ refreshToken: signedIn.tokens?.refreshToken ?? '' }, by());
  const full = by({ token: next.accessToken });
  t.ok(await strict.auth.getLockout({ email: admin.email }, full));
  t.equal(await reasonOf(strict.auth.disableMfa({}, full)), 'MFA_REQUIRED_BY_ROLE');
  nextStep();
});

t.test('S7.1: recovery is approved by another administrator, delayed, told, and can be cancelled', async (t) => {
  const quick = await fixture.another({ MFA_RECOVERY_DELAY_S: '3600' });
  const person = await enrol();
  const admin = await makeAdmin(fixture);
  const asAdmin = by({ token: admin.tokens.accessToken });
  const challengeId = await challengeOf(person.email);
  const first = await auth.startMfaRecovery({ challengeId }, by());
  const twice = await auth.startMfaRecovery({ challengeId }, by());
  t.equal(twice.recovery?.id, first.recovery?.id, 'asked twice is asked once');
  const id = first.recovery?.id ?? '';
  const self = auth.approveMfaRecovery({ id, reason: 'me' }, person.mine);
  t.equal(await reasonOf(self), 'FORBIDDEN');
  const approved = await quick.auth.approveMfaRecovery({ id, reason: 'passport seen' }, asAdmin);
  t.equal(approved.recovery?.state, 2);
  t.equal(await completeRecoveries(quick.app.deps), 0, 'not before its time');
  const mine = by({ token: (await auth.refresh({ refreshToken: person.refreshToken }, by())).accessToken });
  t.equal((await auth.cancelMfaRecovery({ id }, mine)).recovery?.state, 4);
  const second = (await auth.startMfaRecovery({ challengeId }, by())).recovery?.id ?? '';
  await quick.auth.approveMfaRecovery({ id: second, reason: 'passport seen' }, asAdmin);
  await sql`update mfa_recoveries set effective_time = now() - interval '1 second' where id = ${second}`;
  t.equal(await completeRecoveries(quick.app.deps), 1);
  t.ok((await auth.login({ email: person.email, password: goodPassword }, by())).tokens, 'the password alone again');
  const steps = (await fixture.events('MFA_RECOVERY')).filter(({ subjectId }) => subjectId === person.id);
  t.same(
    steps.map(({ details }) => details['step']),
    ['requested', 'approved', 'cancelled', 'requested', 'approved', 'completed'],
  );
  const told = (await fixture.notices()).filter(({ email }) => email === person.email).map(({ template }) => template);
  for (const template of ['mfa-recovery-requested', 'mfa-recovery-approved']) t.ok(told.includes(template), template);
});
