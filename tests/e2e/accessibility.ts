// What axe-core finds wrong with a page of the console, by WCAG 2.2 AA, in light and in dark.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { until } from '@strongroom/testkit';
import type { BrowserContext, Page } from 'playwright-core';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

interface AxeResults {
  readonly violations: readonly { id: string; nodes: readonly { target: readonly unknown[] }[] }[];
}

/** To be called before the context opens a page: a script of the page itself would be against its policy. */
export async function loadAxe(context: BrowserContext): Promise<void> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await context.addInitScript({ content: await readFile(path, 'utf8') });
}

/** Each violation as `scheme rule selector`; none is what is wanted. */
export async function findViolations(page: Page): Promise<string[]> {
  await until(
    async () => ((await page.locator('h1').count()) > 0 && (await page.locator('.loading').count()) === 0) || undefined,
    { what: 'a page that has loaded', timeoutMs: 60_000 },
  );
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    // Colours change at once, so that none is judged halfway.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate(
      (values) =>
        (globalThis as unknown as { axe: { run(options: unknown): Promise<AxeResults> } }).axe.run({
          runOnly: values,
          resultTypes: ['violations'],
        }),
      rules,
    );
    found.push(
      ...violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${colorScheme} ${id} ${target.join(' ')}`)),
    );
  }
  return found;
}
