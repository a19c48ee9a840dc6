import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import tap from 'tap';
import { createLogFixture, makeEvent, origin } from './log-fixture.ts';

const root = join(import.meta.dirname, '..', '..', '..');

async function run(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, env: { ...process.env, ...env } });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

tap.test('B-log: audit:export writes what audit:verify checks, and says how; what is missing it names', async (t) => {
  const log = await createLogFixture({ witness: true });
  t.teardown(log.close);
  await log.append(Array.from({ length: 300 }, () => makeEvent()));
  await log.checkpointer.cover(300);
  const [logKeyFile, witnessKeyFile] = [join(log.folder, 'log.key'), join(log.folder, 'witness.key')];
  await writeFile(witnessKeyFile, `${log.witness?.verifierKey}\n`);
  const env = {
    AUDIT_DATABASE_URL: log.database.runtimeUrl,
    LOG_KEY_FILE: logKeyFile,
    LOG_ORIGIN: origin,
    WITNESS_URL: log.witness?.url ?? '',
    WITNESS_KEY_FILE: witnessKeyFile,
  };
  const out = join(log.folder, 'export.jsonl');
  const exportTo = (file: string, more: Readonly<Record<string, string>> = {}) =>
    run('scripts/audit-export.ts', ['--out', file], { ...env, ...more });
  const written = await exportTo(out);
  t.equal(written.code, 0, written.stderr);
  const [, args = ''] = /npm run audit:verify -- (.+)\n$/.exec(written.stdout) ?? [];
  const verified = await run('packages/tlog/src/verify-cli.ts', args.split(' '));
  t.match(verified, { code: 0, stdout: /^OK: tree size 300\n.*log key +pinned.*witness key +pinned/s });

  const missing: [string, Promise<{ code: number; stderr: string }>, RegExp][] = [
    ['the log’s key', exportTo(out, { LOG_KEY_FILE: '/none/log.key' }), /^the .*: \/none\/log\.key\.pub can't be read/],
    [
      'the witness’s',
      exportTo(out, { WITNESS_KEY_FILE: '/none/key' }),
      /: \/none\/key can't be read .*WITNESS_KEY_FILE/,
    ],
    ['another log', exportTo(out, { LOG_ORIGIN: 'other.example/log' }), /no checkpoint of other\.example\/log/],
    ['a folder', exportTo('/none/export.jsonl'), /: \/none\/export\.jsonl can't be written \(ENOENT\)/],
    ['a database', exportTo(out, { AUDIT_DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x' }), /_URL: .*ECONNREFUSED/],
    [
      'a system',
      run('scripts/audit-export.ts', ['--out', out, '--data', log.folder]),
      /^There is no system of npm start in \S+, and AUDIT_DATABASE_URL names no database\.\n$/,
    ],
  ];
  for (const [what, refused, message] of missing) {
    const { code, stderr } = await refused;
    t.match(stderr, message, what);
    t.equal(code, 1, what);
    t.notMatch(stderr, /\n\s+at |select /, `${what}: neither a stack nor a query`);
  }
});
