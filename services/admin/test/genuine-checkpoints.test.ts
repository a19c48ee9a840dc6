import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { isServiceError } from '@strongroom/platform/errors';
import {
  createCosigner,
  formatVerifierKey,
  type NoteSigner,
  privateKeyFromSeed,
  signCheckpoint,
} from '@strongroom/tlog';
import tap, { type Test } from 'tap';
import { exportAuditLog } from '../src/audit/export-log.ts';
import { insertCheckpoint } from '../src/audit/log-store.ts';
import { getCheckpoint } from '../src/transparency/get-checkpoint.ts';
import { createLogFixture, type LogFixture, makeEvent, origin } from './log-fixture.ts';

const recordCount = 10;

async function createWitnessedLog(t: Test): Promise<{ log: LogFixture; note: string; root: Uint8Array }> {
  const log = await createLogFixture({ witness: true });
  t.teardown(log.close);
  await log.append(Array.from({ length: recordCount }, () => makeEvent()));
  const { note, root } = await log.checkpointer.cover(recordCount);
  return { log, note, root };
}

tap.test('B-log: a row that says it was cosigned is believed by the witness’s key alone', async (t) => {
  const { log, note, root } = await createWitnessedLog(t);
  const otherRoot = randomBytes(root.length);
  const impostor = createCosigner('witness.test/w1', privateKeyFromSeed(randomBytes(32)), () => 1_800_000_000);
  const signed = (size: number, ...others: NoteSigner[]) =>
    signCheckpoint({ origin, size, root: otherRoot, extensions: [] }, [log.signer, ...others]);
  const falseRows: [string, Parameters<typeof insertCheckpoint>[1]][] = [
    ['signed by the log alone', { size: 90, root: otherRoot, note: await signed(90), cosigned: true }],
    [
      'cosigned by another key of the same name',
      { size: 91, root: otherRoot, note: await signed(91, impostor), cosigned: true },
    ],
    ['cosigned, under another size', { size: 92, root, note, cosigned: true }],
    ['cosigned, with another root', { size: recordCount, root: otherRoot, note, cosigned: true }],
    ['no note at all', { size: 93, root: otherRoot, note: 'cosigned: yes\n', cosigned: true }],
  ];
  for (const [what, row] of falseRows) {
    await insertCheckpoint(log.auditDatabase, row);
    t.match(await getCheckpoint(log, { treeSize: undefined } as never), { checkpoint: note, cosigned: true }, what);
    if (row.size === recordCount) continue;
    const refused = await getCheckpoint(log, { treeSize: BigInt(row.size) } as never).catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'CHECKPOINT_NOT_FOUND'), `${what}: by its size`);
  }
  t.equal((await log.checkpointer.ofSize(recordCount))?.note, note);
});

tap.test('B-log: a checkpoint that waits for its witness does not count because somebody marks it', async (t) => {
  const { log, note } = await createWitnessedLog(t);
  await log.append([makeEvent()]);
  await log.witness?.close();
  await log.checkpointer.cover(recordCount + 1).catch(() => undefined);
  const [pending] = await log.superuser`select cosigned from log_checkpoint where size = ${recordCount + 1}`;
  t.equal(pending?.['cosigned'], false);
  await log.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update log_checkpoint set cosigned = true`;
  });
  t.equal((await log.checkpointer.latest())?.note, note);
  t.equal(await log.checkpointer.ofSize(recordCount + 1), undefined);
  const [header] = await Readable.from(
    exportAuditLog({
      auditDatabase: log.auditDatabase,
      origin,
      logKeys: [formatVerifierKey(log.signer.key)],
      witnessKeys: [log.witness?.verifierKey ?? ''],
      cosignedOnly: true,
    }),
  ).toArray();
  const { checkpoints } = JSON.parse(String(header).split('\n')[0] ?? '');
  t.equal(checkpoints.at(-1), note, 'nor is it what an export ends with');
});

tap.test('B-log: a row that the log did not sign is passed over, on alarm', async (t) => {
  const { log, root } = await createWitnessedLog(t);
  const failures = () => log.metrics.value('audit_verification_failures_total');
  t.equal(await failures(), 0);
  await insertCheckpoint(log.auditDatabase, { size: 90, root, note: 'not signed\n', cosigned: true });
  await log.append([makeEvent()]);
  t.match(await log.checkpointer.cover(recordCount + 1), { size: recordCount + 1, cosigned: true });
  t.ok((await failures()) > 0);
});
