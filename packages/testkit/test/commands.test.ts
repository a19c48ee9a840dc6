// What a newcomer types: each command says how it is used, and what it doesn't know is told without a stack.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'tap';

const root = join(import.meta.dirname, '..', '..', '..');
const commandTimeoutMs = 60_000;
const commands = {
  'S1.1e': 'scripts/limits-flush.ts',
  'S4.1': 'scripts/migrate.ts',
  'B-log': 'scripts/audit-export.ts',
  'B-outbox': 'scripts/start.ts',
  'S5.3': 'scripts/stop.ts',
  'S1.5': 'scripts/engines.ts',
};

for (const [id, script] of Object.entries(commands)) {
  test(`${id}: ${script} says how it is used, and what it doesn’t know`, (t) => {
    const run = (argument: string) =>
      spawnSync(process.execPath, [script, argument], { cwd: root, encoding: 'utf8', timeout: commandTimeoutMs });
    const help = run('--help');
    t.match(help, { status: 0, stdout: /^Usage: /, stderr: '' });
    const unknown = run('--no-such-option');
    t.match(unknown, { status: 2, stdout: '', stderr: /^Unknown option '--no-such-option'\.\n\nUsage: / });
    t.notMatch(unknown.stderr, /\n\s+at /, 'no stack');
    t.end();
  });
}
