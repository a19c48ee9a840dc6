// A real Chromium for tests of what only a browser does.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const otherPlaces = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** For whoever runs the tests on a machine without one. */
export const howToGetChromium =
  'NO CHROMIUM ON THIS MACHINE: what needs a browser did not run. Install it (Debian: apt-get install chromium) or put it on the PATH.';

/** The browser, or undefined on a machine without one. */
export async function openChromium(teardown: (close: () => Promise<void>) => void): Promise<Browser | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const places = [...folders.flatMap((folder) => names.map((name) => join(folder, name))), ...otherPlaces];
  const executablePath = places.find(isExecutable);
  if (executablePath === undefined) return undefined;
  const browser = await chromium.launch({ executablePath, timeout: 60_000 });
  teardown(() => browser.close());
  return browser;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
