// Each change of what a person signs in with is told to the person, once (ASVS V6.3.7).
import t from 'tap';
import { codeAt, stepAt, totpPeriodS } from '../src/mfa/totp.ts';
import {
  createAuthFixture,
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
const { auth, by } = fixture;

/** Templates of the notices to an address, but for the one that asks to prove it. */
const toldTo = async (email: string) =>
  (await fixture.notices())
    .filter((notice) => notice.email === email && notice.template !== 'verify-email')
    .map(({ template }) => template);

t.test('S7.1, ASVS V6.3.7: each change of a factor or a password is told once', async (t) => {
  const person = await registerPerson(fixture);
  const mine = by({ token: person.tokens.accessToken });
  const { secret } = await auth.enrollTotp({}, mine);
  t.same(await toldTo(person.email), [], 'a factor that is not proven is none');
  await auth.confirmTotp({ code: codeAt(secret, stepAt(Date.now() + fixture.clock.offsetMs)) }, mine);
  fixture.clock.offsetMs += totpPeriodS * 1000;
  const { accessToken } = await auth.refresh({ refreshToken: person.tokens.refreshToken }, by());
  const withFactor = by({ token: accessToken });
  await auth.regenerateBackupCodes({}, withFactor);
  await auth.disableMfa({}, withFactor);
  await auth.changePassword({ currentPassword: goodPassword, newPassword: otherPassword }, withFactor);
  t.same(await toldTo(person.email), ['mfa-enabled', 'backup-codes-replaced', 'mfa-disabled', 'password-changed']);
});

t.test('S7.1, ASVS V6.3.7: a change of the address is told to the older one', async (t) => {
  const admin = await makeAdmin(fixture);
  const person = await registerPerson(fixture);
  const email = uniqueEmail();
  const update = (changes: { email?: string; name?: string }) =>
    fixture.as('admin').updateUser({ userId: person.id, actorId: admin.id, ...changes }, by());
  await update({ name: 'Jo Roe' });
  t.same(await toldTo(person.email), [], 'a name is no credential');
  t.equal(await reasonOf(update({ email: admin.email })), 'EMAIL_EXISTS');
  t.same(await toldTo(person.email), [], 'nor is what was refused told');
  await update({ email });
  t.same(await toldTo(person.email), ['email-changed']);
  t.same(await toldTo(email), []);
});
