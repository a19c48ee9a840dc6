import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { formatReceipt, inclusionProof } from '../src/index.ts';
import { createTestLog, exportToBuffer, logKey, logSigner, testRow, witnessKey } from './log-fixture.ts';

const CLI = fileURLToPath(new URL('../src/verify-cli.ts', import.meta.url));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: {} }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

test('B-log: audit:verify tells by its exit code and names what is wrong', async (t) => {
  const folder = t.testdir();
  const log = await createTestLog([400, 1_000]);
  const file = join(folder, 'export.jsonl');
  await writeFile(file, await exportToBuffer(log));
  const keys = ['--log-key', logKey, '--witness-key', witnessKey];

  const pinned = await run('--in', file, ...keys);
  t.equal(pinned.code, 0, pinned.stdout + pinned.stderr);
  t.match(pinned.stdout, /^OK: tree size 1000\n/);
  t.match(pinned.stdout, /trust: log key +pinned \(strongroom\.example\/audit\)/);
  t.match(pinned.stdout, /trust: witness key +pinned \(witness\.example\/w1; quorum 1\)/);
  const own = await run('--in', file, '--quiet');
  t.equal(own.code, 0);
  t.match(own.stdout, /from the file/);
  t.match(own.stdout, /pin them with --log-key/, 'and says how little that is');

  const keyFile = join(folder, 'keys.txt');
  await writeFile(keyFile, `${witnessKey}\n`);
  const trusted = join(folder, 'witness.note');
  await writeFile(trusted, log.checkpoints[1] ?? '');
  const withFiles = [
    '--in',
    file,
    '--log-key',
    logKey,
    '--witness-key',
    `@${keyFile}`,
    '--checkpoint',
    trusted,
    '--json',
  ];
  t.match(JSON.parse((await run(...withFiles)).stdout), { ok: true, size: 1_000, trust: { witnessKeys: 'pinned' } });

  const rows = log.rows.with(321, { ...testRow(321), record: { ...testRow(321).record, id: 'event-322' } });
  await writeFile(file, await exportToBuffer({ ...log, rows }));
  const changed = await run('--in', file, ...keys);
  t.equal(changed.code, 1);
  t.match(changed.stdout, /first bad index 321\n/);

  await writeFile(
    file,
    await exportToBuffer({ ...log, rows: log.rows.slice(0, 400), checkpoints: [log.checkpoints[0] ?? ''] }),
  );
  t.equal((await run('--in', file, ...keys)).code, 0, 'an older log by itself is whole');
  const cut = await run('--in', file, ...keys, '--checkpoint', trusted);
  t.equal(cut.code, 1);
  t.match(cut.stdout, /missing range +400\.\.999\n/);
  t.equal((await run('--in', file, ...keys, '--max-age', '5')).code, 0, 'the test witness signs in the future');

  const unwitnessed = await createTestLog([10], { signers: [logSigner] });
  await writeFile(file, await exportToBuffer(unwitnessed));
  t.match(await run('--in', file, ...keys), { code: 1, stdout: /UNWITNESSED/ });
  t.match(await run('--in', file, ...keys, '--allow-unwitnessed'), { code: 0, stdout: /cosigned by +nobody/ });
});

test('B-log: audit:verify explains itself and refuses wrong use', async (t) => {
  const folder = t.testdir({ 'empty.jsonl': '' });
  const help = await run('--help');
  t.equal(help.code, 0);
  t.match(help.stdout, /--witness-key KEY/);
  const wrong: string[][] = [
    [],
    ['--in'],
    ['--in', join(folder, 'none.jsonl')],
    ['--in', folder],
    ['--in', join(folder, 'empty.jsonl'), '--log-key', 'nonsense'],
    ['--in', join(folder, 'empty.jsonl'), '--log-key', witnessKey],
    ['--in', join(folder, 'empty.jsonl'), '--witness-key', logKey],
    ['--in', join(folder, 'empty.jsonl'), '--quorum', 'two'],
    ['--in', join(folder, 'empty.jsonl'), '--checkpoint', join(folder, 'none.note')],
    ['--in', join(folder, 'empty.jsonl'), '--unknown'],
    ['--receipt', join(folder, 'empty.jsonl')],
  ];
  for (const args of wrong) t.match(await run(...args), { code: 2, stdout: '', stderr: /See --help/ }, args.join(' '));
  t.match(await run('--in', join(folder, 'empty.jsonl')), { code: 1, stdout: /FAILED: .*empty/ });
});

test('B-receipt: audit:verify checks a receipt by pinned keys', async (t) => {
  const log = await createTestLog([100]);
  const { record, salt } = testRow(42);
  const hashes = await inclusionProof(42, 100, log.readTile);
  const receipt = formatReceipt({ record, salt, index: 42, hashes, checkpoint: log.checkpoints[0] ?? '' });
  const folder = t.testdir({ 'a.tlog-proof': receipt, 'b.tlog-proof': receipt.replace('index 42', 'index 43') });
  const keys = ['--log-key', logKey, '--witness-key', witnessKey];
  const good = await run('--receipt', join(folder, 'a.tlog-proof'), ...keys);
  t.match(good, { code: 0, stdout: /OK: entry 42 of strongroom\.example\/audit, tree size 100/ });
  t.match(good.stdout, /"id": "event-42"/);
  t.match(await run('--receipt', join(folder, 'b.tlog-proof'), ...keys), { code: 1, stdout: /FAILED/ });
});
