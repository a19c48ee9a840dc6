// The audit log at the size of its promise (B-log): what `services/admin/test/export-log.test.ts` shows with few rows.
import { randomInt } from 'node:crypto';
import { consistencyProof, formatVerifierKey } from '@strongroom/tlog';
import t, { type Test } from 'tap';
import { isExportRight, isExtension } from '../../packages/tlog/test/independent-verifier.ts';
import { createTileReader } from '../../services/admin/src/audit/log-store.ts';
import { createLogFixture, type LogFixture } from '../../services/admin/test/log-fixture.ts';
import {
  fillLog,
  rewriteAndSign,
  swapRows,
  type Verified,
  verifyLog,
  verifyTampered,
} from '../../services/admin/test/tampering.ts';

const rowCount = 100_000;
const tailRows = 777;
const checkpointsMin = 20;

t.setTimeout(240_000);

t.test('F30, B-log: of 100,000 rows a superuser can change none unseen, and two verifiers agree', async (t) => {
  const log = await createLogFixture({ witness: true });
  t.teardown(log.close);
  const logKey = formatVerifierKey(log.signer.key);
  const witnessKey = log.witness?.verifierKey ?? '';
  const expect = ({ result, file }: Verified, expected: object, what: string) => {
    t.match(result, expected, `${what}: ${result.ok ? 'sound' : result.message}`);
    t.equal(isExportRight(file, logKey, witnessKey), result.ok, `${what}: the independent verifier agrees`);
  };
  // Of no use to a verifier, and half of the work of filling the log.
  await log.superuser`drop index audit_record_text`;
  await fillLog(log, rowCount);
  const bad = randomInt(rowCount - 2 * tailRows);
  const other = bad + tailRows;
  t.comment(`rows ${bad} and ${other}`);
  const untouched = await verifyLog(log, log.auditDatabase);
  expect(untouched, { ok: true, size: rowCount, rowsHashed: rowCount }, 'untouched');
  await t.test('any two checkpoints are consistent', (t) => checkConsistency(t, log, untouched.file));
  expect(
    await verifyTampered(
      log,
      ({ sql }) => sql`update audit_record set details = '{"note":"as it Was"}' where sequence = ${bad}`,
    ),
    { ok: false, firstBadIndex: bad },
    'one byte',
  );
  expect(
    await verifyTampered(log, (queries) => swapRows(queries, bad, other)),
    { ok: false, firstBadIndex: bad },
    'two rows swapped',
  );
  expect(
    await verifyTampered(log, ({ sql }) => sql`delete from audit_record where sequence >= ${rowCount - tailRows}`),
    { ok: false, missing: { from: rowCount - tailRows, to: rowCount } },
    'the tail deleted',
  );
  expect(
    await verifyTampered(log, ({ sql }) => sql`delete from audit_record`),
    { ok: false, missing: { from: 0, to: rowCount } },
    'everything deleted',
  );
  const rewritten = await verifyTampered(log, async (queries) => {
    await queries.sql`update audit_record set details = '{"note":"as it never was"}' where sequence = ${bad}`;
    await rewriteAndSign(log, queries);
  });
  expect(rewritten, { ok: false, code: 'REWRITTEN' }, 'rewritten and signed with the real log key');
  t.equal(
    !rewritten.result.ok && rewritten.result.firstBadIndex !== undefined,
    true,
    'the place of the rewrite is named',
  );
});

/** Each pair of the export's checkpoints, by the texts alone: size and root stand in the second and third line of a note. */
async function checkConsistency(t: Test, log: LogFixture, file: Buffer): Promise<void> {
  const { checkpoints } = JSON.parse(file.subarray(0, file.indexOf('\n')).toString('utf8')) as {
    checkpoints: string[];
  };
  const heads = checkpoints.map((note): [number, Buffer] => {
    const [, size, root] = note.split('\n');
    return [Number(size), Buffer.from(root ?? '', 'base64')];
  });
  t.ok(heads.length >= checkpointsMin, `${heads.length} checkpoints`);
  const readTile = createTileReader(log.auditDatabase);
  const wrong: string[] = [];
  for (const older of heads) {
    for (const newer of heads.filter(([size]) => size >= older[0])) {
      const proof = (await consistencyProof(older[0], newer[0], readTile)).map((hash) => Buffer.from(hash));
      if (!isExtension(older, newer, proof)) wrong.push(`${older[0]} and ${newer[0]}`);
      const fork = Buffer.from(newer[1]).reverse();
      if (isExtension(older, [newer[0], fork], proof)) wrong.push(`a fork of ${newer[0]}`);
    }
  }
  t.same(wrong, []);
}
