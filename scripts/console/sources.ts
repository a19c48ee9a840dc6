import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const repositoryRoot = join(import.meta.dirname, '..', '..');

export const consoleFolder = join(repositoryRoot, 'console');
export const consoleDist = join(consoleFolder, 'dist');
/** In the bundle's folder: the hash of the sources that it was made from. Not served, as it begins with a dot. */
export const hashFile = '.sources-sha256';

/** All that goes into the bundle: the console, what it imports of ours, how it is bundled, and the versions of the rest. */
const sources = [
  'console/src',
  'console/index.html',
  'console/package.json',
  'console/tsconfig.json',
  'gen',
  'packages/tlog/src/canonical-json.ts',
  'packages/tlog/src/errors.ts',
  'scripts/console',
  'package-lock.json',
];

/** SHA-256 of names and contents of all sources. */
export async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const path of await filesOf(source)) {
      const content = await readFile(join(repositoryRoot, path));
      hash.update(`${path}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  if (/\.[a-z]+$/.test(path)) return [path];
  const entries = await readdir(join(repositoryRoot, path), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repositoryRoot.length + 1))
    .sort();
}
