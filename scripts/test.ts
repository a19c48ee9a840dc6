// `npm test`: starts engines of its own, runs the suites through tap, and ends with a line that counts.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pc from 'picocolors';
import { repositoryRoot } from './database/migrations.ts';
import { removeEngines, startEngines } from './engines/index.ts';
import { isAlive } from './support/process-table.ts';
import { quickStart } from './support/quick-start.ts';
import { reportTap, type TapSummary } from './testing/tap-report.ts';

const help = `Usage: npm test [-- FILE… | --help]

Without files: every suite but the long ones (chaos and benchmarks have commands of their own).
FILE is a path or a pattern, from the root of the repository.

Engines are started for the run and removed after it. To keep some running between runs:
  npm run engines -- --tests --detach --data /tmp/engines
  STRONGROOM_TEST_ENGINES=/tmp/engines/engines.json npm test -- FILE…
`;

async function main(): Promise<number> {
  const files = process.argv.slice(2);
  if (files.includes('--help') || files.includes('-h')) {
    process.stdout.write(help);
    return 0;
  }
  const flag = files.find((file) => file.startsWith('-'));
  if (flag !== undefined) throw new Error(`There is no option ${flag}; see npm test -- --help.`);
  await prepareTap();
  const began = Date.now();
  const summary = await withEngines((engines) => runTap(files, engines));
  return conclude(summary, Date.now() - began);
}

/**
 * tap compiles its own class when the list of plugins changes, and the run in which it does so still uses the old one:
 * on a fresh clone the first run would fail. So it is compiled before.
 */
async function prepareTap(): Promise<void> {
  const removed = [...readFileSync(join(repositoryRoot, '.taprc'), 'utf8').matchAll(/"!(.+)"/g)].map(
    (match) => match[1],
  );
  const require = createRequire(import.meta.url);
  const runner = createRequire(require.resolve('tap')).resolve('@tapjs/test');
  const built = join(runner.slice(0, runner.lastIndexOf('/@tapjs/test/')), '@tapjs/test/test-built/dist/esm/index.js');
  const current = readFileSync(built, 'utf8');
  if (!removed.some((plugin) => current.includes(`"${plugin}"`))) return;
  console.log('Preparing tap (once)…');
  const { code } = await run(['build'], {}, 'ignore');
  if (code !== 0) throw new Error('tap build failed: run it by itself to see why.');
}

async function withEngines<T>(work: (engines: string) => Promise<T>): Promise<T> {
  const given = process.env['STRONGROOM_TEST_ENGINES'];
  if (given) return work(given);
  // One for each run: several may go on in one checkout.
  const runs = join(repositoryRoot, '.data', 'test');
  await removeLeftOver(runs);
  const dataDir = join(runs, String(process.pid));
  const log = (line: string) => console.log(pc.dim(`  ${line}`));
  try {
    const packagesDir = join(repositoryRoot, '.data', 'engines', 'debian');
    const engines = await startEngines({ dataDir, log, packagesDir, forTests: true });
    return await work(engines.file);
  } finally {
    await removeEngines(dataDir);
  }
}

/** Engines of a run that was killed before it could stop them. */
async function removeLeftOver(runs: string): Promise<void> {
  const folders = await readdir(runs).catch(() => []);
  for (const folder of folders) {
    if (!isAlive(Number(folder))) await removeEngines(join(runs, folder));
  }
}

async function runTap(files: readonly string[], engines: string): Promise<TapSummary & { code: number | null }> {
  const args = ['run', '--reporter=tap', ...files];
  const environment = {
    STRONGROOM_TEST_ENGINES: engines,
    STRONGROOM_ENV: 'test',
    TAP_DIFF: '1',
    // Each file is a process of its own, and most load the same modules.
    ...quickStart.environment,
    NODE_OPTIONS: [process.env['NODE_OPTIONS'] ?? '', ...quickStart.arguments].join(' ').trim(),
  };
  const child = run(args, environment, 'pipe');
  const [summary, { code }] = await Promise.all([reportTap(child.stdout, console.log), child]);
  return { ...summary, code };
}

type TapRun = Promise<{ code: number | null }> & { stdout: NonNullable<ReturnType<typeof spawn>['stdout']> };

function run(args: string[], environment: Record<string, string>, output: 'pipe' | 'ignore'): TapRun {
  const tap = join(repositoryRoot, 'node_modules', '.bin', 'tap');
  const child = spawn(process.execPath, [tap, ...args], {
    cwd: repositoryRoot,
    stdio: ['ignore', output, 'inherit'],
    env: { ...process.env, PATH: `${dirname(tap)}:${process.env['PATH']}`, ...environment },
  });
  // The terminal sends Ctrl-C to tap as well, and npm sends it again; we only wait and then stop the engines.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const ended = new Promise<{ code: number | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code }));
  });
  return Object.assign(ended, { stdout: child.stdout as NonNullable<typeof child.stdout> });
}

function conclude(summary: TapSummary & { code: number | null }, tookMs: number): number {
  const problems = [
    ...(summary.files === 0 ? ['No test file was found.'] : []),
    ...summary.emptyFiles.map((file) => `${file} ended without a single test.`),
  ];
  for (const problem of problems) console.log(pc.red(problem));
  const failed = Math.max(summary.failed, summary.code === 0 ? 0 : 1) + problems.length;
  const skipped = summary.skipped === 0 ? '' : `, ${summary.skipped} skipped`;
  console.log(`\n${summary.files} files in ${(tookMs / 1000).toFixed(1)} s`);
  console.log(`${summary.passed} passed, ${failed} failed${skipped}`);
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(`test: ${error.message}`);
    process.exitCode = 1;
  },
);
