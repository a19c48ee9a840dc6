import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);

/** Every module that a process loads with drizzle-orm, and how Node takes it. */
const listing = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({
    load(url, context, nextLoad) {
      loaded.push(url + ' ' + (context.format ?? 'unknown'));
      return nextLoad(url, context);
    },
  });
  await import('drizzle-orm/postgres-js');
  console.log(JSON.stringify(loaded));
`;

async function modulesLoaded(...preload: string[]): Promise<string[]> {
  const { stdout } = await run(process.execPath, [...preload, '--input-type=module', '--eval', listing], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { PATH: process.env['PATH'] },
  });
  return (JSON.parse(stdout) as string[]).filter((line) => line.includes('/drizzle-orm/'));
}

t.test('The preload for a quick start loads the same modules, each as what Node would take it for', async (t) => {
  const usual = await modulesLoaded();
  t.ok(usual.length > 100, `${usual.length} modules`);
  t.same(await modulesLoaded('--import', '@strongroom/platform/process/quick-imports'), usual);
});
