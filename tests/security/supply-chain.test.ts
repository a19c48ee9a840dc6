// What is installed is known, whole, and only what the lockfile says.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { root } from '../house/source-files.ts';

t.setTimeout(120_000);

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly name?: string;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const installed = Object.entries(lock.packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
);

t.test(
  'ASVS V15.2.4: every package of the lockfile is pinned by its SHA-512, and none comes from anywhere else',
  (t) => {
    for (const [path, { integrity = '' }] of installed) t.match(integrity, /^sha512-/, path);
    const dockerfile = readFileSync(join(root, 'ops/docker/Dockerfile'), 'utf8');
    t.notMatch(dockerfile, /npm (install|i) /, 'the image installs by the lockfile alone');
    t.match(dockerfile, /npm ci --omit=dev/);
    t.end();
  },
);

t.test('ASVS V15.1.2: the bill of materials is the lockfile', (t) => {
  const run = spawnSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8', maxBuffer: 64_000_000 });
  t.equal(run.status, 0, run.stderr);
  const bill = JSON.parse(run.stdout) as { bomFormat: string; components: { name: string; version: string }[] };
  t.equal(bill.bomFormat, 'CycloneDX');
  // Our own packages are named after their folders.
  const own = new Set(Object.keys(lock.packages).map((path) => basename(path)));
  const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
  const locked = installed.map(([path, { version, name }]) => `${name ?? packageOf(path)}@${version}`);
  const ofOthers = listed.filter((id) => !own.has(id.replace(/@0\.1\.0$/, '')) || locked.includes(id));
  t.same([...new Set(ofOthers)].toSorted(), [...new Set(locked)].toSorted());
  t.end();
});

function packageOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

t.test('ASVS V13.4.1, V13.4.2: the image holds no repository, no debugger and no source map', (t) => {
  const dockerfile = readFileSync(join(root, 'ops/docker/Dockerfile'), 'utf8');
  t.notMatch(dockerfile, /^COPY (--\S+ )*\.\/? /m, 'only named folders are copied');
  t.notMatch(dockerfile, /\.git\b/);
  t.match(dockerfile, /NODE_OPTIONS=--disable-sigusr1/);
  t.notMatch(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), /--inspect|--enable-source-maps/);
  t.end();
});

t.test('ASVS V13.3.1: no key and no token of a provider stands in the repository', (t) => {
  const secrets =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]|AKIA[0-9A-Z]{16}|\b(?:sk|rk)_live_\w+|\bgh[pousr]_\w{36}|\bxox[abp]-\w+|\bnpm_\w{36}/;
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8', maxBuffer: 16_777_216 });
  for (const path of tracked.split('\n').filter((each) => each !== '')) {
    t.notMatch(readFileSync(join(root, path), 'utf8'), secrets, path);
  }
  t.end();
});
