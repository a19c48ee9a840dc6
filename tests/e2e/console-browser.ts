// Drives the console as a person does, and notes what the browser complains of meanwhile.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@strongroom/testkit';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { codeAt, stepAt } from '../../services/auth/src/mfa/totp.ts';
import { loadAxe } from './accessibility.ts';

/** A bound, not a promise: the machine may be busy with other tests. */
const waitMs = 60_000;

/** One browser profile: its tabs share what a browser shares. */
export interface ConsoleBrowser {
  readonly context: BrowserContext;
  /** Script errors, violations of the policy, requests to elsewhere. Refusals of the API are no complaint. */
  readonly complaints: readonly string[];
  open(path: string): Promise<Page>;
}

export async function openConsole(browser: Browser, origin: string): Promise<ConsoleBrowser> {
  const complaints: string[] = [];
  const context = await browser.newContext({ baseURL: origin });
  await loadAxe(context);
  context.setDefaultTimeout(waitMs);
  context.on('page', (page) => {
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      const isRefusal = message.text().startsWith('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && !isRefusal)
        complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on('request', (request) => {
      const { protocol, origin: target } = new URL(request.url());
      if (!['data:', 'blob:'].includes(protocol) && target !== origin) complaints.push(`a request to ${request.url()}`);
    });
  });
  return {
    context,
    complaints,
    async open(path) {
      const page = await context.newPage();
      await page.goto(`/console/#${path}`);
      return page;
    },
  };
}

export async function openConsoleAt(
  browser: Browser,
  origin: string,
  path: string,
): Promise<readonly [ConsoleBrowser, Page]> {
  const opened = await openConsole(browser, origin);
  return [opened, await opened.open(path)];
}

/** For pages that do not follow what they show by themselves. */
export async function reloadUntil(page: Page, text: string): Promise<void> {
  await until(
    async () => {
      await page.reload();
      await page.locator('table').first().waitFor();
      return page.getByText(text, { exact: true }).count();
    },
    { what: `a page that says ${text}`, timeoutMs: waitMs },
  );
}

/** Ends when the console has heard of it: what is looked for next isn't found on the page before. */
export async function go(page: Page, path: string): Promise<void> {
  const fragment = JSON.stringify(`#${path}`);
  await page.evaluate(`
    location.hash === ${fragment} ||
    new Promise((resolve) => {
      addEventListener('hashchange', () => resolve(), { once: true });
      location.hash = ${fragment};
    })`);
}

export function heading(page: Page, name: string) {
  return page.getByRole('heading', { level: 1, name, exact: true });
}

export async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
}

/** Fills the fields of a form by their labels. */
export async function fill(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label, { exact: true }).fill(value);
}

export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

/** In the dialog that asks first. */
export async function confirm(page: Page, name: string, values: Readonly<Record<string, string>> = {}): Promise<void> {
  const dialog = page.getByRole('dialog');
  for (const [label, value] of Object.entries(values)) await dialog.getByLabel(label, { exact: true }).fill(value);
  await dialog.getByRole('button', { name, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
}

export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await fill(page, { 'E-mail address': email, Password: password });
  await press(page, 'Sign in');
}

/** Turns an authenticator on, at the page about security. Its current step is left for what comes next: each counts once. */
export async function enrol(page: Page): Promise<{ seed: string; backupCodes: readonly string[] }> {
  await press(page, 'Set up an authenticator');
  const seed = await textOf(page.locator('.seed'));
  const isDrawn = (image: unknown) => (image as { naturalWidth: number }).naturalWidth > 0;
  await until(() => page.getByAltText('QR code of the secret').evaluate(isDrawn), {
    what: 'a QR code',
    timeoutMs: waitMs,
  });
  await fill(page, { 'Code from the app': codeAt(seed, stepAt(Date.now()) - 1) });
  await press(page, 'Turn it on');
  await page.locator('.codes li').first().waitFor();
  const backupCodes = await page.locator('.codes li').allTextContents();
  await press(page, 'I have kept them');
  await page.getByText('On', { exact: true }).first().waitFor();
  return { seed, backupCodes };
}

/** The link in the newest message with one to an address, out of the development mailbox. */
export async function mailedLink(dataDir: string, email: string): Promise<string> {
  const folder = join(dataDir, 'mailbox');
  return until(
    async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
      for (const name of names.reverse()) {
        const message = JSON.parse(await readFile(join(folder, name), 'utf8')) as { to: string; text: string };
        const link = message.to === email ? /http\S+\/console\/#\S+/.exec(message.text) : null;
        if (link !== null) return link[0];
      }
      return undefined;
    },
    { what: `a message with a link to ${email}`, timeoutMs: waitMs },
  );
}
