// The console in a real Chromium, before the whole system. One system and one browser for the file: each test goes on
// where the one before it has stopped, as a working day does.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { freePort } from '../../scripts/support/ports.ts';
import { codeAt, stepAt } from '../../services/auth/src/mfa/totp.ts';
import { findViolations } from './accessibility.ts';
import { ageSignIns } from './age-sign-ins.ts';
import { howToGetChromium, openChromium } from './browser.ts';
import {
  confirm,
  enrol,
  fill,
  go,
  heading,
  mailedLink,
  openConsole,
  openConsoleAt,
  press,
  reloadUntil,
  signIn,
  textOf,
} from './console-browser.ts';
import { checkPages, checkScrolling, signedInPaths, signedOutPaths } from './console-pages.ts';
import { addAuthenticator } from './passkey-page.ts';
import { startTestSystem, testPassword } from './system-fixture.ts';
import { startReceiver } from './webhook-receiver.ts';

t.setTimeout(230_000);

const ada = { email: 'ada.console@example.com', name: 'Ada Console' };
const dayMs = 86_400_000;
const changedPassword = `${testPassword}-Keeper`;

const browser = await openChromium(t.teardown);
if (browser === undefined) {
  t.comment(howToGetChromium);
  t.match(await readFile('.ci/run', 'utf8'), /install .*chromium/, 'B-console: continuous integration has one');
} else {
  const edgePort = await freePort();
  // A host with a name, as passkeys need one.
  const origin = `http://localhost:${edgePort}`;
  const receiver = await startReceiver(t.teardown);
  const system = await startTestSystem(t.teardown, {
    GATEWAY_PORT: String(edgePort),
    WEBAUTHN_ORIGINS: origin,
    WEBHOOK_ALLOW_INSECURE_TARGETS: 'true',
  });
  const bob = await system.person('bob');
  const vera = await system.person('vera');
  const open = (path: string) => openConsoleAt(browser, origin, path);
  const [[adas, adaPage], [bobs, bobPage], [veras, veraPage], [admins, adminPage]] = await Promise.all([
    open('/register'),
    open('/payments'),
    open('/webhooks'),
    open('/admin/audit'),
  ]);
  let paymentId = '';

  t.test('B-console: a person registers, turns an authenticator on and signs in with it', async (t) => {
    await fill(adaPage, { Name: ada.name, 'E-mail address': ada.email, Password: testPassword });
    await press(adaPage, 'Create account');
    await heading(adaPage, 'Payments').waitFor();
    await go(adaPage, '/account/security');
    const { seed, backupCodes } = await enrol(adaPage);
    t.equal(backupCodes.length, 10, 'ten backup codes, shown once');
    await press(adaPage, 'Sign out');
    await signIn(adaPage, ada.email, testPassword);
    await heading(adaPage, 'Second factor').waitFor();
    await fill(adaPage, { 'Code from your authenticator': codeAt(seed, stepAt(Date.now()) - 100) });
    await press(adaPage, 'Continue');
    await adaPage.getByRole('alert').getByText('MFA_CODE_INVALID').waitFor();
    await fill(adaPage, { 'Code from your authenticator': codeAt(seed, stepAt(Date.now())) });
    await press(adaPage, 'Continue');
    await heading(adaPage, 'Security').waitFor();
    await press(adaPage, 'Sign out');
    await signIn(adaPage, ada.email, testPassword);
    await press(adaPage, 'Use a backup code');
    await fill(adaPage, { 'Backup code': backupCodes[0] ?? '' });
    await press(adaPage, 'Continue');
    await heading(adaPage, 'Security').waitFor();
  });

  t.test('B-console: the link of a message confirms the address, and its token stays in no address', async (t) => {
    const page = await adas.open(new URL(await mailedLink(system.dataDir, ada.email)).hash.slice(1));
    await heading(page, 'Confirm your address').waitFor();
    t.match(await page.getByLabel('Token from the message').inputValue(), /^[\w-]{43}$/);
    t.notMatch(page.url(), /token/);
    await press(page, 'Confirm');
    await page.getByText('The address is confirmed.').waitFor();
    await go(page, '/account');
    await page.locator('.facts div', { hasText: 'Address confirmed' }).getByText('Yes').waitFor();
    await page.close();
  });

  t.test('B-console, S1.2b: tabs share one session, and end it together', async (t) => {
    const second = await adas.open('/account/sessions');
    await heading(second, 'Sessions').waitFor();
    await second.getByText('This one').waitFor();
    t.equal(await second.getByText('This one').count(), 1);
    const stored = await second.evaluate(() =>
      JSON.stringify([Object.keys(sessionStorage), Object.keys(localStorage).sort()]),
    );
    t.equal(stored, '[["strongroom.refresh-token"],["strongroom.device-token"]]', 'no access token is stored');
    await adaPage.reload();
    await heading(adaPage, 'Security').waitFor();
    await second.reload();
    await heading(second, 'Sessions').waitFor();
    await second.close();
  });

  t.test('B-console: a payment is made, and seen to complete without a reload', async () => {
    await go(adaPage, '/payments/new');
    await fill(adaPage, {
      'Recipient’s e-mail address': bob.email,
      Amount: '12,50',
      Description: 'Two books',
    });
    await press(adaPage, 'Pay');
    await adaPage.getByRole('heading', { name: '€12.50' }).waitFor();
    paymentId = new URL(adaPage.url()).hash.split('/').at(-1) ?? '';
    await adaPage.locator('.section-head').getByText('Completed', { exact: true }).waitFor();
    await adaPage
      .getByRole('table', { name: /Status changes/ })
      .getByText('Completed')
      .first()
      .waitFor();
  });

  t.test('B-console: who was paid gives a part back, and both see it at once', async () => {
    await signIn(bobPage, bob.email, testPassword);
    await bobPage.getByRole('link', { name: 'Two books' }).click();
    const postings = bobPage.getByRole('table', { name: /Postings/ });
    await postings.getByText('€12.50', { exact: true }).waitFor();
    await press(bobPage, 'Refund');
    await confirm(bobPage, 'Refund', { Amount: '2.50', Reason: 'One was torn' });
    await bobPage
      .getByRole('table', { name: /Refunds/ })
      .getByText('One was torn')
      .waitFor();
    await bobPage.locator('.section-head').getByText('Partially refunded').waitFor();
    await adaPage.locator('.section-head').getByText('Partially refunded').waitFor();
    await postings.getByText('-€2.50', { exact: true }).waitFor();
  });

  t.test('B-console, B-receipt: who has paid downloads the receipt of it', async (t) => {
    const download = await until(
      async () => {
        const answer = Promise.race([
          adaPage.waitForEvent('download'),
          adaPage
            .getByRole('alert')
            .getByText('RECEIPT_PENDING')
            .waitFor()
            .then(() => undefined),
        ]);
        await press(adaPage, 'Download');
        return answer;
      },
      { what: 'a receipt in a signed checkpoint', timeoutMs: 60_000 },
    );
    t.match(await readFile(await download.path(), 'utf8'), /^c2sp.org\/tlog-proof/);
  });

  t.test('B-console: a planned payment is edited, its times by the clocks that the person has chosen', async (t) => {
    await go(adaPage, '/account');
    await adaPage.getByLabel('Time zone', { exact: true }).selectOption('Asia/Kabul');
    await press(adaPage, 'Save');
    await adaPage.getByText('Saved.').waitFor();
    await go(adaPage, '/payments/new');
    await adaPage.getByLabel('When').selectOption('Scheduled');
    const day = new Date(Date.now() + 30 * dayMs).toISOString().slice(0, 10);
    await fill(adaPage, {
      'Recipient’s e-mail address': bob.email,
      Amount: '40',
      Description: 'Rent',
      Due: `${day}T07:08`,
    });
    await press(adaPage, 'Schedule payment');
    const due = adaPage.locator(`time[datetime="${day}T02:38:00.000Z"]`);
    t.match(await textOf(due), '7:08', '4:30 ahead of UTC');
    await press(adaPage, 'Edit');
    t.same(await findViolations(adaPage), [], 'nor with a dialog');
    await confirm(adaPage, 'Save', { Amount: '41.50', Description: 'Rent and heating' });
    await adaPage.getByRole('heading', { name: '€41.50' }).waitFor();
    await adaPage.getByText('Rent and heating').waitFor();
    await due.waitFor();
    await adaPage.getByRole('cell', { name: 'Edited' }).waitFor();
    t.same(await findViolations(adaPage), [], 'nor with receipts');
  });

  t.test('B-console: a customer at an administrator’s page sees the refusal', async (t) => {
    await go(bobPage, '/admin/users');
    const alert = bobPage.getByRole('alert');
    await alert.getByText('FORBIDDEN').waitFor();
    t.match(await textOf(alert), /request [\w-]{8,}/, 'with the id of the request');
    t.equal(await bobPage.getByRole('link', { name: 'Flags' }).count(), 0, 'and is shown no way there');
  });

  t.test('B-console: a passkey is added, and signs in without a password', async () => {
    await addAuthenticator(await bobs.context.newCDPSession(bobPage));
    await go(bobPage, '/account/security');
    await fill(bobPage, { 'Name of the passkey': 'Laptop' });
    await press(bobPage, 'Add a passkey');
    await press(bobPage, 'I have kept them');
    await bobPage.getByRole('cell', { name: 'Laptop' }).waitFor();
    await press(bobPage, 'Sign out');
    await press(bobPage, 'Sign in with a passkey');
    await heading(bobPage, 'Security').waitFor();
  });

  t.test(
    'B-console: the first administrator must change the password, then finds the refund in the audit log',
    async () => {
      const known = JSON.parse(await readFile(join(system.dataDir, 'first-admin.json'), 'utf8'));
      await signIn(adminPage, known.email, known.password);
      await heading(adminPage, 'Choose a new password').waitFor();
      await fill(adminPage, { 'Current password': known.password, 'New password': changedPassword });
      await press(adminPage, 'Change the password');
      await heading(adminPage, 'Audit log').waitFor();
      await adminPage.getByLabel('Action', { exact: true }).selectOption('PAYMENT_REFUNDED');
      await press(adminPage, 'Show');
      await adminPage.getByRole('row').filter({ hasText: 'PAYMENT_REFUNDED' }).first().waitFor();
      await adminPage.getByRole('row').filter({ hasText: 'USER_LOGIN' }).first().waitFor({ state: 'detached' });
    },
  );

  t.test('B-console: the live tail shows what happens as it happens', async () => {
    await adminPage.getByLabel('Action', { exact: true }).selectOption('');
    await press(adminPage, 'Show');
    await press(adminPage, 'Live tail');
    await adminPage.getByText('Live', { exact: true }).waitFor();
    await bob.post('/auth/login', { body: { email: bob.email, password: 'Not-The-Password-1!' } });
    await adminPage.getByRole('row').filter({ hasText: 'USER_LOGIN_FAILED' }).first().waitFor();
  });

  t.test(
    'B-console, B-receipt: the browser proves a record by pinned keys, and refuses it once it is changed',
    async (t) => {
      const keys = await Promise.all(
        ['audit-log.key.pub', 'witness/verifier-key.txt'].map((file) => readFile(join(system.dataDir, file), 'utf8')),
      );
      await adminPage.getByRole('link', { name: 'Proof', exact: true }).first().click();
      await press(adminPage, 'Get the receipt');
      const receipt = adminPage.getByLabel('Receipt', { exact: true });
      await until(async () => (await receipt.inputValue()) || undefined, { what: 'a receipt', timeoutMs: 60_000 });
      await fill(adminPage, { 'Keys that you trust, one a line': keys.join('\n') });
      await press(adminPage, 'Verify');
      await adminPage.getByText('Verified', { exact: true }).waitFor();
      t.equal(await adminPage.getByText(/is signed by the (log|witness) key/).count(), 2, 'says by which keys');
      const whole = await receipt.inputValue();
      const record = Buffer.from(/^extra (.*)$/m.exec(whole)?.[1] ?? '', 'base64').toString();
      const changed = Buffer.from(record.replace('USER_LOGIN_FAILED', 'USER_LOGIN_FALSED')).toString('base64');
      await receipt.fill(whole.replace(/^extra .*$/m, `extra ${changed}`));
      await press(adminPage, 'Verify');
      await adminPage.getByText('Not verified').waitFor();
      await adminPage.getByText('The record does not lead to the root').waitFor();
    },
  );

  t.test('B-console: a flag is switched off, which others feel, and on again', async () => {
    await go(adminPage, '/admin/flags');
    const row = adminPage.getByRole('row').filter({ hasText: 'registration' });
    await row.getByRole('button', { name: 'Switch off' }).click();
    await confirm(adminPage, 'Switch off', { 'Reason, for the audit log': 'Under attack' });
    await row.getByText('Off', { exact: true }).waitFor();
    const stranger = await openConsole(browser, origin);
    const page = await stranger.open('/register');
    await fill(page, { Name: 'Eve', 'E-mail address': 'eve@example.com', Password: testPassword });
    await press(page, 'Create account');
    await page.getByRole('alert').getByText('SWITCHED_OFF').waitFor();
    await stranger.context.close();
    await row.getByRole('button', { name: 'Switch on' }).click();
    await confirm(adminPage, 'Switch on', { 'Reason, for the audit log': 'It is over' });
    await row.getByText('On', { exact: true }).waitFor();
  });

  t.test(
    'B-console: an administrator sees users, lockouts, anomalies, health and reports, and rotates the key',
    async (t) => {
      await go(adminPage, '/admin/users');
      await adminPage.getByRole('link', { name: ada.name }).click();
      await adminPage.getByText('Not locked').waitFor();
      await go(adminPage, '/admin/lockouts');
      await fill(adminPage, { 'E-mail address': bob.email });
      await press(adminPage, 'Show');
      await adminPage.locator('.facts div', { hasText: 'Recent failures' }).getByText('1').waitFor();
      await go(adminPage, '/admin/anomalies');
      await adminPage.getByText(/nothing unusual was seen|Anomalies, newest first/).waitFor();
      await go(adminPage, '/admin/health');
      await adminPage.getByRole('row').filter({ hasText: 'postgres' }).getByText('Healthy').first().waitFor();
      await go(adminPage, '/admin/keys');
      await press(adminPage, 'Rotate');
      await confirm(adminPage, 'Rotate', { 'Reason, for the audit log': 'Drill' });
      await adminPage.getByRole('row').filter({ hasText: 'Drill' }).waitFor();
      await adminPage.getByText('Verifies', { exact: true }).waitFor();
      await go(adminPage, '/admin/reports');
      const today = new Date().toISOString().slice(0, 10);
      await fill(adminPage, { From: today, 'To, inclusive': today });
      await press(adminPage, 'Create report');
      const row = adminPage.getByRole('row').filter({ hasText: 'Access review' });
      const download = adminPage.waitForEvent('download');
      await row.getByRole('button', { name: 'Download' }).click();
      t.match((await download).suggestedFilename(), /^access_review-.*\.csv$/);
    },
  );

  t.test('B-console: an administrator makes a vendor, who adds a webhook and is shown its secret once', async (t) => {
    await go(adminPage, `/admin/users/${vera.id}`);
    await press(adminPage, 'Change role');
    await adminPage.getByRole('dialog').getByLabel('Role', { exact: true }).selectOption('Vendor');
    await confirm(adminPage, 'Change role', { 'Reason, for the audit log': 'She sells maps' });
    await signIn(veraPage, vera.email, testPassword);
    await heading(veraPage, 'Webhooks').waitFor();
    await fill(veraPage, { Address: receiver.url });
    await veraPage.getByLabel('payment.completed').check();
    await press(veraPage, 'Add');
    t.match(await textOf(veraPage.locator('.secret')), /^whsec_/);
    await press(veraPage, 'I have kept it');
    await veraPage.locator('.secret').waitFor({ state: 'detached' });
    await veraPage.getByRole('link', { name: receiver.url }).click();
    await veraPage.getByText('Nothing has been sent yet.').waitFor();
    await press(veraPage, 'New secret');
    await confirm(veraPage, 'Create secret');
    t.match(await textOf(veraPage.locator('.secret')), /^whsec_/);
    await press(veraPage, 'I have kept it');
  });

  t.test('B-console: a vendor sees what was sent to the webhook, and has it sent again', async (t) => {
    const webhook = new URL(veraPage.url()).hash.slice(1);
    await go(veraPage, '/payments');
    const sent = receiver.next();
    await go(bobPage, '/payments/new');
    await fill(bobPage, { 'Recipient’s e-mail address': vera.email, Amount: '7', Description: 'A map' });
    await press(bobPage, 'Pay');
    const first = await sent;
    await veraPage.getByRole('row').filter({ hasText: 'A map' }).getByText('Completed').waitFor();
    await go(veraPage, webhook);
    const sentAgain = receiver.next();
    await veraPage.reload();
    await press(veraPage, 'Send again');
    t.equal((await sentAgain).id, first.id, 'the same message, by its id');
    await reloadUntil(veraPage, 'Delivered');
    t.same(await findViolations(veraPage), [], 'axe-core finds nothing wrong');
  });

  t.test('B-console: a person fills the profile in, and reads it masked where it is sensitive', async (t) => {
    await go(veraPage, '/account');
    await fill(veraPage, { Telephone: '+4915112345678', 'Tax id': '123-45-6789' });
    await press(veraPage, 'Save the profile');
    await veraPage.getByText('The profile is saved.').waitFor();
    await veraPage.getByPlaceholder('*******6789').waitFor();
    t.equal(await veraPage.getByLabel('Telephone').inputValue(), '+4915112345678');
    await veraPage.getByLabel('Picture').setInputFiles({
      name: 'vera.png',
      mimeType: 'image/png',
      buffer: await veraPage.screenshot({ clip: { x: 0, y: 0, width: 64, height: 64 } }),
    });
    await veraPage.getByAltText('You, as others see you').waitFor();
  });

  t.test('B-console: data are taken along after a step-up, and erased only once no hold is on them', async (t) => {
    await go(veraPage, '/account/data');
    await ageSignIns(system, vera.id);
    // The next access token says when the person was last seen.
    await veraPage.reload();
    const download = veraPage.waitForEvent('download');
    await press(veraPage, 'Export my data');
    await confirm(veraPage, 'Continue', { Password: testPassword });
    t.match(await readFile(await (await download).path(), 'utf8'), vera.email);
    await press(adminPage, 'Hold');
    await confirm(adminPage, 'Hold', { 'Reason, for the audit log': 'Case 17' });
    await press(veraPage, 'Erase my data');
    const dialog = veraPage.getByRole('dialog');
    await dialog.getByLabel('Type “erase” to confirm').fill('erase');
    await dialog.getByRole('button', { name: 'Erase permanently' }).click();
    await dialog.getByRole('alert').waitFor();
    await press(adminPage, 'Release');
    await confirm(adminPage, 'Release', { 'Reason, for the audit log': 'Case closed' });
    await dialog.getByRole('button', { name: 'Erase permanently' }).click();
    await veraPage.getByText('Your data are being erased.').waitFor();
  });

  t.test('B-console: axe-core finds nothing wrong with any page, in light or in dark', async (t) => {
    const stranger = await openConsole(browser, origin);
    await checkPages(t, [await stranger.open('/sign-in')], signedOutPaths);
    await stranger.context.close();
    const second = await admins.open('/payments');
    await heading(second, 'Payments').waitFor();
    await checkPages(t, [adminPage, second], signedInPaths({ userId: bob.id, paymentId }));
    await checkScrolling(t, adminPage, '/admin/users');
  });

  t.test('B-console, S6.1: the browser had nothing to complain of, the policy nothing to stop', async (t) => {
    t.same([...adas.complaints, ...bobs.complaints, ...veras.complaints, ...admins.complaints], []);
  });
}
