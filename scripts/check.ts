// `npm run check`: every gate that isn't a test. Runs all of them even when one fails, and says at the end which did.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import picocolors from 'picocolors';
import { writeForeignProtos } from './foreign-protos.ts';

const root = join(import.meta.dirname, '..');
const outputBytesMax = 16_777_216;
const run = promisify(execFile);

const gates: Readonly<Record<string, () => Promise<void>>> = {
  'types (tsc)': () => tool('tsc', '-p', 'tsconfig.json'),
  'types of the console (tsc)': () => tool('tsc', '-p', 'console'),
  'lint and format (biome)': () => tool('biome', 'check', '.'),
  'contract: lint (buf)': () => tool('buf', 'lint'),
  'contract: format (buf)': () => tool('buf', 'format', '--diff', '--exit-code', 'proto'),
  'contract: no breaking change (buf)': checkBreaking,
  'generated files': checkGenerated,
};

async function tool(name: string, ...args: string[]): Promise<void> {
  await run(join(root, 'node_modules/.bin', name), args, { cwd: root, maxBuffer: outputBytesMax });
}

async function git(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: root, maxBuffer: outputBytesMax })).stdout;
}

/**
 * Against the commit that the branch began from, or the one before this. buf can't read a git ref here, because the
 * foreign contracts that ours import are not in git; so the old contract is unpacked beside them.
 */
async function checkBreaking(): Promise<void> {
  const base = await contractBase();
  if (base === undefined) return;
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-contract-'));
  try {
    const archive = join(folder, 'contract.tar');
    await git('archive', '--output', archive, base, 'buf.yaml', 'proto');
    await run('tar', ['-xf', archive, '-C', folder]);
    await cp(join(root, 'proto-foreign'), join(folder, 'proto-foreign'), { recursive: true });
    await rm(archive);
    await tool('buf', 'breaking', '--against', folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The newest commit that others have already seen, with a contract in it; nothing in a repository that has none. */
async function contractBase(): Promise<string | undefined> {
  for (const ref of ['origin/main', 'HEAD~1']) {
    try {
      await git('cat-file', '-e', `${ref}:buf.yaml`);
      return ref;
    } catch {
      // There is no such commit, or it had no contract yet: the next one is looked at.
    }
  }
  return undefined;
}

/** Generates elsewhere and demands the same: what is in git is what the contract says. */
async function checkGenerated(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-generated-'));
  try {
    await run(process.execPath, ['scripts/generate.ts', folder], { cwd: root });
    await cp(join(root, 'gen/package.json'), join(folder, 'gen/package.json'));
    await git('diff', '--no-index', '--stat', 'gen', join(folder, 'gen'));
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    throw new Error(`gen/ isn't what the contract generates; run npm run generate.\n${stdout}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (process.argv.length > 2) {
  const isHelp = ['--help', '-h'].includes(process.argv[2] ?? '');
  process.stdout.write(
    `Usage: npm run check\n\nRuns every gate that isn't a test:\n\n  ${Object.keys(gates).join('\n  ')}\n`,
  );
  process.exit(isHelp ? 0 : 1);
}
await writeForeignProtos(join(root, 'proto-foreign'));
const failed: string[] = [];
for (const [name, gate] of Object.entries(gates)) {
  const startMs = performance.now();
  try {
    await gate();
    console.log(`${picocolors.green('✓')} ${name} ${picocolors.dim(`${Math.round(performance.now() - startMs)} ms`)}`);
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    failed.push(name);
    console.log(`${picocolors.red('✗')} ${name}\n${stdout || stderr || message}`);
  }
}
console.log(failed.length === 0 ? 'All gates hold.' : `Failed: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
