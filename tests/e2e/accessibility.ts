// What axe-core finds wrong with a page of the console, by WCAG 2.2 AA, in light and in dark, and whether it fits a telephone.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { until } from '@strongroom/testkit';
import type { BrowserContext, Page } from 'playwright-core';

/** The scheme changes nothing but colours, so that dark is judged by its contrast alone. */
const looks = [
  { colorScheme: 'light', runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
  { colorScheme: 'dark', runOnly: { type: 'rule', values: ['color-contrast'] } },
] as const;

/** What is loaded is shown, and what scrolls by itself is known by its observer, which the browser calls with a frame. */
const isSettled = `
  document.querySelector('h1') !== null &&
  document.querySelector('.loading') === null &&
  [...document.querySelectorAll('.table-scroll')].every(
    (region) => region.matches('[tabindex]') === (region.scrollWidth > region.clientWidth),
  )`;

interface AxeResults {
  readonly violations: readonly { id: string; nodes: readonly { target: readonly unknown[] }[] }[];
}

/** To be called before the context opens a page: a script of the page itself would be against its policy. */
export async function loadAxe(context: BrowserContext): Promise<void> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await context.addInitScript({ content: await readFile(path, 'utf8') });
}

/** Each violation as `scheme rule selector`, or that the page is too wide for a telephone; none is what is wanted. */
export async function findViolations(page: Page): Promise<string[]> {
  await until(() => page.evaluate(isSettled), { what: 'a page that is whole', timeoutMs: 60_000 });
  const found: string[] = [];
  for (const { colorScheme, runOnly } of looks) {
    // Colours change at once, so that none is judged halfway.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate(
      (options) => (globalThis as unknown as { axe: { run(options: unknown): Promise<AxeResults> } }).axe.run(options),
      { runOnly, resultTypes: ['violations'] },
    );
    found.push(
      ...violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${colorScheme} ${id} ${target.join(' ')}`)),
    );
  }
  if (await scrollsSideways(page)) found.push('narrow reflow');
  return found;
}

/** On the narrowest screen that WCAG knows (1.4.10). What is too wide by nature scrolls by itself. */
async function scrollsSideways(page: Page): Promise<boolean> {
  const usual = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const { scroll, client } = await page.locator('html').evaluate((root) => {
    const { scrollWidth, clientWidth } = root as unknown as { scrollWidth: number; clientWidth: number };
    return { scroll: scrollWidth, client: clientWidth };
  });
  if (usual !== null) await page.setViewportSize(usual);
  return scroll > client;
}
