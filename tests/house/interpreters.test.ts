// No text from outside is given to something that runs it: no program, no code, no statement of SQL.
import t from 'tap';
import { isTest, sourceFiles } from './source-files.ts';

/** What the processes run; the testkit is never shipped. */
const shipped = sourceFiles(/^(packages|services|gateway)\/.*\.ts$/).filter(
  ({ path }) => !isTest(path) && !path.startsWith('packages/testkit/'),
);

t.test('S2.1, ASVS V1.2.5, V1.3.2: no process starts a program or evaluates code', (t) => {
  for (const { path, text } of shipped) {
    t.notMatch(text, /(?<![.\w])eval\((?!script: string)|new Function\(|'node:vm'|'node:child_process'/, path);
  }
  t.end();
});

t.test('S2.1, ASVS V1.2.4: what is put into a statement as it is comes out of the source', (t) => {
  // Names of columns; the migrations' list of sealed columns; the type of a sort key; a column that the contract's rule has matched.
  const known = /^(?:\w*[cC]olumns|column\.row|type|`u\.\$\{query\.orderBy\}`)$/;
  let count = 0;
  for (const { path, text } of shipped) {
    for (const [, argument = ''] of text.matchAll(/\.(?:unsafe|raw)\(([^)]*)\)/g)) {
      count += 1;
      t.match(argument, known, `${path}: ${argument}`);
    }
  }
  t.ok(count > 10, `${count} places`);
  t.end();
});
