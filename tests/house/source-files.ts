// The repository's own source files, for the tests of the house rules.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

export type SourceFile = { path: string; text: string; lines: string[] };

/** Every TypeScript file that git tracks, but for generated ones. */
export function sourceFiles(pattern: RegExp = /\.tsx?$/): SourceFile[] {
  const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8', maxBuffer: 16_777_216 });
  return tracked
    .split('\n')
    .filter((path) => pattern.test(path) && !path.startsWith('gen/') && !path.includes('/gen/'))
    .filter((path) => existsSync(join(root, path)))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, lines: text.split('\n') };
    });
}

export function isTest(path: string): boolean {
  return path.includes('/test/') || path.endsWith('.test.ts') || path.startsWith('tests/');
}
