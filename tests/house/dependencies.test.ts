// What a package's source imports stands in its package.json, and nothing else: less to audit, and nothing found by luck.
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import t from 'tap';
import { isTest, root, sourceFiles } from './source-files.ts';

const importPattern =
  /^(?:import|export)\b[^;]*?\bfrom '([^'.][^']*)'|^import '([^'.][^']*)'|\bimport\('([^'.][^']*)'\)/gm;

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function importsOf(folder: string): { source: Set<string>; all: Set<string> } {
  const found = { source: new Set<string>(), all: new Set<string>() };
  for (const { path, text } of sourceFiles()) {
    if (!path.startsWith(`${folder}/`)) continue;
    for (const [, ...specifiers] of text.matchAll(importPattern)) {
      const name = packageOf(specifiers.find((one) => one !== undefined) ?? '');
      if (name.startsWith('node:') || builtinModules.includes(name)) continue;
      found.all.add(name);
      if (!isTest(path)) found.source.add(name);
    }
  }
  return found;
}

const folders = sourceFiles(/package\.json$/)
  .map(({ path }) => dirname(path))
  .filter((folder) => folder !== '.' && existsSync(join(root, folder, 'src')));

t.test('SM: each package names what it imports, and imports what it names', (t) => {
  t.ok(folders.length >= 9);
  for (const folder of folders) {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const { source, all } = importsOf(folder);
    const named = Object.keys(manifest.dependencies ?? {});
    const inUse = (name: string) => all.has(name) || all.has(name.replace('@types/', ''));
    t.same(
      [...source].filter((name) => !named.includes(name) && name !== manifest.name),
      [],
      `${folder} imports only what it names`,
    );
    t.same(
      named.filter((name) => !all.has(name)),
      [],
      `${folder} names only what it imports`,
    );
    t.same(
      Object.keys(manifest.devDependencies ?? {}).filter((name) => !inUse(name)),
      [],
      `${folder}: tests import what is named for them`,
    );
  }
  t.end();
});
