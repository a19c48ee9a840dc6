import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Log } from '../support/names.ts';
import { probe, type ServerBinary, type ServerProgram } from './server-binary.ts';

const run = promisify(execFile);
const commandTimeoutMs = 180_000;
const outputBytesMax = 16 * 1024 * 1024;
const packagesMax = 60;
/** The C library and loader of the machine must match each other: never a second one beside them. */
const neverUnpacked = new Set([
  'libc6',
  'libc-bin',
  'libc-l10n',
  'locales',
  'base-files',
  'dpkg',
  'init-system-helpers',
]);

export function isDebianLike(): boolean {
  return ['apt-get', 'dpkg'].every((tool) => spawnSync('which', [tool], { stdio: 'ignore' }).status === 0);
}

/** The program as an earlier call unpacked it. */
export function findUnpacked(folder: string, wanted: ServerProgram): ServerBinary | undefined {
  const root = join(folder, 'root');
  for (const place of ['usr/bin', 'usr/sbin']) {
    const path = join(root, place, wanted.program);
    if (existsSync(path)) return probe(path, wanted, { LD_LIBRARY_PATH: libraryFolders(root).join(':') });
  }
  return undefined;
}

/**
 * Fetches programs from Debian's (or Ubuntu's) own packages into a folder, as any user and without installing anything:
 * nothing is registered, no maintainer script runs, no daemon starts. apt keeps its lists and cache in the folder too.
 */
export async function unpackDebianPackages(folder: string, wanted: readonly ServerProgram[], log: Log): Promise<void> {
  const root = join(folder, 'root');
  const options = aptOptions(folder);
  for (const path of ['root', 'state/lists/partial', 'cache/archives/partial', 'download']) {
    mkdirSync(join(folder, path), { recursive: true });
  }
  const names = wanted.flatMap(({ debianPackages }) => debianPackages);
  log(
    `fetching ${wanted.map(({ program }) => program).join(' and ')} from the system's package archive into ${folder} (nothing is installed)`,
  );
  await apt('apt-get', [...options, 'update', '-qq'], folder);
  const packages = await closure(options, names, folder);
  await apt('apt-get', [...options, 'download', '-qq', ...packages], join(folder, 'download'));
  for (const file of readdirSync(join(folder, 'download')).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(folder, 'download', file), root], { timeout: commandTimeoutMs });
  }
  // Lists and archives were needed once and are 50 MB.
  for (const path of ['state', 'cache', 'download']) rmSync(join(folder, path), { recursive: true, force: true });
}

/**
 * The packages themselves and whatever they depend on that this machine hasn't got. Walked by hand, because apt's own
 * simulation refuses to answer on a machine where any other package is half installed.
 */
async function closure(options: string[], names: readonly string[], folder: string): Promise<string[]> {
  const needed = new Set(names);
  const waiting = [...names];
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    for (const alternatives of await dependencies(options, name, folder)) {
      if (alternatives.some((one) => needed.has(one) || neverUnpacked.has(one) || isInstalled(one))) continue;
      const chosen = alternatives.find((one) => !one.startsWith('<'));
      if (chosen === undefined || needed.size >= packagesMax) continue;
      needed.add(chosen);
      waiting.push(chosen);
    }
  }
  return [...needed];
}

/** Each dependency as its list of alternatives; apt-cache marks every alternative but the last with a bar. */
async function dependencies(options: string[], name: string, folder: string): Promise<string[][]> {
  const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'];
  const text = await apt('apt-cache', [...options, 'depends', ...kinds.map((kind) => `--no-${kind}`), name], folder);
  const groups: string[][] = [];
  let open = false;
  for (const [, bar, dependency] of text.matchAll(/^ ( |\|)(?:Pre)?Depends: (\S+)$/gm)) {
    if (!open) groups.push([]);
    groups.at(-1)?.push(dependency ?? '');
    open = bar === '|';
  }
  return groups;
}

function isInstalled(name: string): boolean {
  const run = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  return run.status === 0 && run.stdout.includes('\nStatus: install ok installed\n');
}

function aptOptions(folder: string): string[] {
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::Lists': join(folder, 'state/lists'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::State::status': '/var/lib/dpkg/status',
    // As root apt would hand the download to the account _apt, which can't write here.
    'APT::Sandbox::User': process.getuid?.() === 0 ? 'root' : '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'APT::Update::Post-Invoke-Success': '',
    'APT::Update::Post-Invoke': '',
  };
  return Object.entries(settings)
    .filter(([, value]) => value !== '')
    .flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

async function apt(command: string, args: string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await run(command, args, {
      cwd,
      timeout: commandTimeoutMs,
      maxBuffer: outputBytesMax,
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
    return stdout;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const verb = args.find((arg) => ['update', 'download', 'depends'].includes(arg));
    throw new Error(`${command} ${verb} failed: ${(stderr?.trim() || message).split('\n').slice(-4).join(' ')}`);
  }
}

function libraryFolders(root: string): string[] {
  const bases = ['usr/lib', 'lib'].map((path) => join(root, path)).filter((path) => existsSync(path));
  const nested = bases.flatMap((base) =>
    readdirSync(base)
      .map((name) => join(base, name))
      .filter((path) => statSync(path).isDirectory() && readdirSync(path).some((name) => name.includes('.so'))),
  );
  return [...nested, ...bases];
}
