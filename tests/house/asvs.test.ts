// docs/ASVS.md speaks of every requirement of its lists, once and in order, and the tests that it names exist.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { root } from './source-files.ts';

const page = readFileSync(join(root, 'docs', 'ASVS.md'), 'utf8');
const chapters = page.split(/^## (?=V\d)/m).slice(1);

/** What a row may begin with that has no test to name. */
const withoutProof = /^(Not met|Decided otherwise|Doesn't apply):/;

interface Row {
  readonly id: string;
  readonly how: string;
  readonly proof: string;
}

function rowsOf(chapter: string): Row[] {
  const rows = chapter.matchAll(/^\| (V\d+\.\d+\.\d+) \| (.+) \| (.+) \|$/gm);
  return [...rows].map(([, id = '', how = '', proof = '']) => ({ id, how, proof }));
}

/** "Rows: V1.1.1–2, V1.4.3" stands for V1.1.1, V1.1.2 and V1.4.3. */
function idsOf(chapter: string): string[] {
  const list = /^Rows: (.+)$/m.exec(chapter)?.[1] ?? '';
  return list.split(', ').flatMap((range) => {
    const [, section = '', first = '', last = first] = /^(V\d+\.\d+)\.(\d+)(?:–(\d+))?$/.exec(range) ?? [];
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, index) => `${section}.${Number(first) + index}`);
  });
}

function namesTest(file: string, beginning: string): boolean {
  const path = join(root, file);
  if (!existsSync(path)) return false;
  const titles = readFileSync(path, 'utf8').matchAll(/\btest\(\s*['"`](.*)/g);
  return [...titles].some(([, title = '']) => title.startsWith(beginning));
}

t.test('ASVS: the page has every requirement of its lists, once and in order', (t) => {
  t.ok(chapters.length > 0, 'it has chapters');
  for (const chapter of chapters) {
    t.same(
      rowsOf(chapter).map(({ id }) => id),
      idsOf(chapter),
      chapter.slice(0, chapter.indexOf('\n')),
    );
  }
  t.end();
});

t.test('ASVS: each row names tests that exist, or says why there is none', (t) => {
  for (const { id, how, proof } of chapters.flatMap(rowsOf)) {
    const named = [...proof.matchAll(/`([\w./-]+\.test\.ts)` “([^”]+)”/g)];
    t.ok(named.length > 0 || withoutProof.test(how), `${id} is proven`);
    for (const [, file = '', beginning = ''] of named) {
      t.ok(namesTest(file, beginning), `${id}: ${file} has a test that begins with “${beginning}”`);
    }
  }
  t.end();
});
