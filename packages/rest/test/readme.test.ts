import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ruleIds } from '../src/index.ts';

t.test('B-rest: the README lists every rule and no other', async (t) => {
  const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
  const [, refusals = ''] = readme.split('## What it refuses');
  const listed = [...refusals.matchAll(/^\| `([^`]+)` *\|/gm)].map((match) => match[1]);
  t.same(listed.sort(), [...ruleIds].sort());
});
