// `npm run test:chaos [-- F19 …]`: the tests of faults (docs/FAULTS.md), as a table fault → outcome.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pc from 'picocolors';
import { repositoryRoot } from './database/migrations.ts';
import { removeEngines, startEngines } from './engines/index.ts';

const help = `Usage: npm run test:chaos [-- FAULT…]

Runs every test whose title names a fault (F1, F2, …), or those of the faults given, on engines of its own, and prints
which outcome held. Faults that need minutes are here and not in npm test.
`;

const outputBytesMax = 67_108_864;
const fileTimeoutMs = 600_000;
const faultTitle = /\bF\d{1,2}\b/;
const run = promisify(execFile);

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
  const unknown = wanted.find((fault) => !/^F\d{1,2}$/.test(fault));
  if (unknown !== undefined) throw new Error(`${unknown} is no fault; say F19, or nothing for all.`);
  const files = await filesWithFaults(wanted);
  if (files.length === 0) throw new Error(`No test names ${wanted.join(', ')}.`);
  const dataDir = join(repositoryRoot, '.data', 'chaos');
  const engines = await startEngines({ dataDir, forTests: true, log: (line) => console.log(pc.dim(`  ${line}`)) });
  let failed = 0;
  try {
    for (const file of files) {
      console.log(pc.bold(`\n${file}`));
      for (const { title, hasHeld } of await outcomesOf(file, engines.file)) {
        if (!matches(title, wanted)) continue;
        if (!hasHeld) failed += 1;
        console.log(`  ${hasHeld ? pc.green('✓') : pc.red('✗')} ${title}`);
      }
    }
  } finally {
    await removeEngines(dataDir);
  }
  console.log(failed === 0 ? '\nEvery outcome held.' : `\n${failed} outcomes did not hold.`);
  return failed === 0 ? 0 : 1;
}

async function filesWithFaults(wanted: readonly string[]): Promise<string[]> {
  const { stdout } = await run('git', ['ls-files', '*.test.ts'], { cwd: repositoryRoot });
  return stdout
    .trim()
    .split('\n')
    .filter((file) => {
      const text = readFileSync(join(repositoryRoot, file), 'utf8');
      const titles = [...text.matchAll(/test\(\s*['"`]([^'"`\n]+)/g)].map((match) => match[1] ?? '');
      return titles.some((title) => matches(title, wanted));
    });
}

function matches(title: string, wanted: readonly string[]): boolean {
  if (wanted.length === 0) return faultTitle.test(title);
  return wanted.some((fault) => new RegExp(`\\b${fault}\\b`).test(title));
}

/** A file that can't even be run counts as an outcome that did not hold. */
async function outcomesOf(file: string, engines: string): Promise<Outcome[]> {
  const output = await run(process.execPath, [file], {
    cwd: repositoryRoot,
    maxBuffer: outputBytesMax,
    timeout: fileTimeoutMs,
    env: { ...process.env, STRONGROOM_TEST_ENGINES: engines, STRONGROOM_ENV: 'test' },
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  const outcomes = [...output.stdout.matchAll(/^(ok|not ok) \d+ - (.*?)(?: # time=.*)?$/gm)].map(
    ([, status, title = '']): Outcome => ({ title, hasHeld: status === 'ok' }),
  );
  return outcomes.length > 0 ? outcomes : [{ title: `${file} (F0: it could not be run)`, hasHeld: false }];
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(`test:chaos: ${error.message}`);
    process.exitCode = 1;
  },
);
