// The pages of the console, and the check that axe-core finds nothing wrong with them.
import { until } from '@strongroom/testkit';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { findViolations } from './accessibility.ts';
import { go } from './console-browser.ts';

export const signedOutPaths = [
  '/register',
  '/forgotten-password',
  '/password-reset',
  '/verify-email',
  '/invitation',
  '/sign-in',
];

/** Every page of an administrator; those of one thing by an id of it. */
export const signedInPaths = (ids: { readonly userId: string; readonly paymentId: string }) => [
  '/payments',
  '/payments/new',
  '/payments/report',
  `/payments/${ids.paymentId}`,
  '/payment-methods',
  '/webhooks',
  '/proof',
  '/ledger',
  '/account',
  '/account/security',
  '/account/sessions',
  '/account/data',
  '/admin/users',
  `/admin/users/${ids.userId}`,
  '/admin/lockouts',
  '/admin/audit',
  '/admin/keys',
  '/admin/flags',
  '/admin/anomalies',
  '/admin/health',
  '/admin/reports',
  '/no-such-page',
];

/** Tabs share the work, so that what one waits for the server another uses. */
export async function checkPages(t: Test, tabs: readonly Page[], paths: readonly string[]): Promise<void> {
  const left = [...paths];
  const check = async (page: Page) => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      await go(page, path);
      t.same(await findViolations(page), [], path);
    }
  };
  await Promise.all(tabs.map(check));
}

/** The table of a page is made wider than the window, and narrow again. */
export async function checkScrolling(t: Test, page: Page, path: string): Promise<void> {
  await go(page, path);
  const region = page.locator('.table-scroll');
  const setWidth = (width: string) =>
    page.evaluate(`document.querySelector('.table-scroll table').style.width = '${width}'`);
  const offset = () => page.evaluate<number>(`document.querySelector('.table-scroll').scrollLeft`);
  t.equal(await region.getAttribute('tabindex'), null);
  await setWidth('300vw');
  await page.locator('.table-scroll[tabindex="0"][aria-label]').waitFor();
  // Only the tab in front scrolls by keys.
  await page.bringToFront();
  await region.press('ArrowRight');
  await until(async () => (await offset()) > 0 || undefined, { what: 'the table to scroll' });
  await setWidth('');
  await page.locator('.table-scroll:not([tabindex])').waitFor();
}
