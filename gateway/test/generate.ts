// Writes test/gen/fixture.binpb from test/proto. Run it after a change there: node gateway/test/generate.ts
// (proto-foreign must be there: npm run generate).
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'gateway-proto-'));
try {
  cpSync(join(here, 'proto'), join(folder, 'own'), { recursive: true });
  const options = join('strongroom', 'options');
  cpSync(join(root, 'proto', options), join(folder, 'own', options), { recursive: true });
  cpSync(join(root, 'proto-foreign'), join(folder, 'foreign'), { recursive: true });
  writeFileSync(join(folder, 'buf.yaml'), 'version: v2\nmodules:\n  - path: own\n  - path: foreign\n');
  mkdirSync(join(here, 'gen'), { recursive: true });
  const buf = join(root, 'node_modules', '.bin', 'buf');
  execFileSync(buf, ['build', 'own', '-o', join(here, 'gen', 'fixture.binpb')], { cwd: folder });
} finally {
  rmSync(folder, { recursive: true });
}
