// What is written down twice is compared here, so that neither can change alone.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { envExample } from '../../scripts/env-example.ts';
import { errorReference } from '../../scripts/error-reference.ts';
import { root, sourceFiles } from './source-files.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

t.test('S3.2: .env.example names every variable of every process, as the configuration has it', (t) => {
  t.equal(read('.env.example'), envExample(), 'run: node scripts/env-example.ts > .env.example');
  t.end();
});

t.test('S6.2: docs/ERRORS.md holds every error of the closed catalogues', (t) => {
  t.equal(read('docs/ERRORS.md'), errorReference(), 'run: node scripts/error-reference.ts > docs/ERRORS.md');
  t.end();
});

t.test('house: every script of package.json exists and is in the README', (t) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  for (const [name, command] of Object.entries(scripts)) {
    const file = /^node (\S+\.(?:ts|js))/.exec(command)?.[1];
    if (file !== undefined) t.doesNotThrow(() => read(file), `${name} runs ${file}`);
  }
  const readme = read('README.md');
  for (const name of ['start', 'test', 'run stop', 'run test:chaos', 'run bench', 'run check', 'run secrets']) {
    t.match(readme, `npm ${name}`);
  }
  t.end();
});

t.test('house: no registry host and no download address stands in the repository', (t) => {
  t.notMatch(read('package-lock.json'), /"resolved": "https?:/);
  t.end();
});

t.test('house: every RPC of the contract is built', (t) => {
  // Each RPC stands in its service's table of contents; one that is left out answers NOT_YET_BUILT.
  const routes = sourceFiles(/^services\/[a-z]+\/src\/routes\.ts$/)
    .map(({ text }) => text)
    .join('\n');
  for (const name of ['auth', 'payments', 'profile', 'admin']) {
    const proto = read(`proto/strongroom/${name}/v1/${name}_service.proto`);
    for (const [, rpc = ''] of proto.matchAll(/^ {2}rpc (\w+)\(/gm)) {
      const local = rpc[0]?.toLowerCase() + rpc.slice(1);
      t.match(routes, new RegExp(`\\b${local}: use(Case|Stream)\\(`), `${name}.${rpc}`);
    }
  }
  t.end();
});

const olderFaultCount = 57;

t.test('house: each older fault has a regression test that names it in its title, as docs/FAULTS.md says', (t) => {
  const rows = [...read('docs/FAULTS.md').matchAll(/^\| (\d+) \| .+ \| (\S+\.test\.ts) \|$/gm)];
  t.same(
    rows.map(([, fault]) => Number(fault)),
    Array.from({ length: olderFaultCount }, (_, index) => index + 1),
  );
  for (const [, fault, file = ''] of rows) {
    const isNamed = new RegExp(`\\bfaults? (\\d+, )*${fault}\\b`);
    t.ok(
      titlesOf(read(file)).some((title) => isNamed.test(title)),
      `older fault ${fault}: ${file}`,
    );
  }
  t.end();
});

/** What the tests of a file are called. */
function titlesOf(source: string): string[] {
  return [...source.matchAll(/\.test\(\s*(['"`])(.+?)\1,/g)].map(([, , title = '']) => title);
}
