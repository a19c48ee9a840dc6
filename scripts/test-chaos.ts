// `npm run test:chaos [-- F19 …]`: the tests of faults (docs/FAULTS.md), as a table fault → outcome.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pc from 'picocolors';
import { repositoryRoot } from './database/migrations.ts';
import { removeEngines, startEngines } from './engines/index.ts';
import { quickStart } from './support/quick-start.ts';
import { type Fault, faults, faultsOf, isFault } from './testing/faults.ts';
import { readTests } from './testing/tap-report.ts';

const help = `Usage: npm run test:chaos [-- FAULT…]

Runs every test whose title names a fault (F1, F2, …) and what else takes minutes (tests/chaos, the long fuzz), or the
tests of the faults given, on engines of its own. Ends with a table of which outcome held, and 1 if any did not.
`;

const fileTimeoutMs = 900_000;
const tapTimeoutS = 240;
/** Tests that are in npm test with less. */
const longRuns: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'gateway/test/fuzz.test.ts': { STRONGROOM_FUZZ_REQUESTS: '100000' },
  'services/admin/test/crash.test.ts': { STRONGROOM_KILLS: '20' },
};
const run = promisify(execFile);

/** Ctrl-C ends the test that runs, and then the engines. */
const brokenOff = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => brokenOff.abort());

interface Outcome {
  readonly title: string;
  readonly hasHeld: boolean;
}

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  if (wanted.includes('--help')) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = wanted.find((fault) => !isFault(fault));
  if (unknown !== undefined) throw new Error(`${unknown} is no fault; say F19, or nothing for all.`);
  const dataDir = join(repositoryRoot, '.data', 'chaos');
  const packagesDir = join(repositoryRoot, '.data', 'engines', 'debian');
  const log = (line: string) => console.log(pc.dim(`  ${line}`));
  const engines = await startEngines({ dataDir, packagesDir, forTests: true, log });
  const outcomes: Outcome[] = [];
  try {
    for (const file of await filesFor(wanted.filter(isFault))) {
      console.log(pc.bold(`\n${file}`));
      outcomes.push(...(await outcomesOf(file, engines.file, wanted)));
    }
  } finally {
    await removeEngines(dataDir);
  }
  printTable(outcomes, wanted.length === 0 ? (Object.keys(faults) as Fault[]) : wanted.filter(isFault));
  return outcomes.every(({ hasHeld }) => hasHeld) ? 0 : 1;
}

async function filesFor(wanted: readonly Fault[]): Promise<string[]> {
  const { stdout } = await run('git', ['ls-files', '*.test.ts'], { cwd: repositoryRoot });
  return stdout
    .trim()
    .split('\n')
    .filter((file) => {
      const text = readFileSync(join(repositoryRoot, file), 'utf8');
      const named = [...text.matchAll(/test\(\s*['"`]([^'"`\n]+)/g)].flatMap((match) => faultsOf(match[1] ?? ''));
      if (wanted.length > 0) return named.some((fault) => wanted.includes(fault));
      return named.length > 0 || file.startsWith('tests/chaos/') || file in longRuns;
    });
}

/** Prints each test of the file, and in full what failed in it. A file that can't even be run is an outcome that did not hold. */
async function outcomesOf(file: string, engines: string, wanted: readonly string[]): Promise<Outcome[]> {
  const child = spawn(process.execPath, [...quickStart.arguments, file], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: fileTimeoutMs,
    signal: brokenOff.signal,
    env: {
      ...process.env,
      ...quickStart.environment,
      ...longRuns[file],
      STRONGROOM_TEST_ENGINES: engines,
      STRONGROOM_ENV: 'test',
      // As npm test has it in .taprc; tap alone ends a file after thirty seconds.
      TAP_TIMEOUT: String(tapTimeoutS),
      ...(wanted.length === 0 ? {} : { TAP_GREP: `/\\b(${wanted.join('|')})\\b/` }),
    },
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const outcomes: Outcome[] = [];
  const read = readTests(child.stdout, (title, hasHeld) => {
    outcomes.push({ title, hasHeld });
    console.log(`  ${mark(hasHeld)} ${title}`);
  });
  const [[code]] = await Promise.all([ended, read]);
  const isCutOff = outcomes.length === 0 || (code !== 0 && outcomes.every(({ hasHeld }) => hasHeld));
  return isCutOff ? [...outcomes, { title: `${file} did not run to its end`, hasHeld: false }] : outcomes;
}

function printTable(outcomes: readonly Outcome[], shown: readonly Fault[]): void {
  console.log(pc.bold('\nfault → outcome'));
  for (const fault of shown) {
    const own = outcomes.filter(({ title }) => faultsOf(title).includes(fault));
    const broken = own.filter(({ hasHeld }) => !hasHeld);
    const outcome =
      own.length === 0
        ? pc.yellow('no test')
        : broken.length === 0
          ? `${mark(true)} ${own.length} held`
          : `${mark(false)} ${broken.length} of ${own.length} did not hold`;
    console.log(`  ${fault.padEnd(4)} ${faults[fault].padEnd(58)} ${outcome}`);
  }
  const failed = outcomes.filter(({ hasHeld }) => !hasHeld).length;
  console.log(
    failed === 0 ? '\nEvery outcome held.' : `\n${failed} ${failed === 1 ? 'outcome' : 'outcomes'} did not hold.`,
  );
}

function mark(hasHeld: boolean): string {
  return hasHeld ? pc.green('✓') : pc.red('✗');
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(brokenOff.signal.aborted ? '\nBroken off; the engines are stopped.' : `test:chaos: ${error.message}`);
    process.exitCode = 1;
  },
);
