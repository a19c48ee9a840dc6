// The audit log at the size of its promise (B-log): what `services/admin/test/export-log.test.ts` shows with few rows.
import { randomInt } from 'node:crypto';
import { formatVerifierKey } from '@strongroom/tlog';
import t from 'tap';
import { isExportRight } from '../../packages/tlog/test/independent-verifier.ts';
import { createLogFixture } from '../../services/admin/test/log-fixture.ts';
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

t.setTimeout(480_000);

t.test('F30, B-log: of 100,000 rows a superuser can change none unseen, and two verifiers agree', async (t) => {
  const log = await createLogFixture({ witness: true });
  t.teardown(log.close);
  const logKey = formatVerifierKey(log.signer.key);
  const witnessKey = log.witness?.verifierKey ?? '';
  const expect = ({ result, file }: Verified, expected: object, what: string) => {
    t.match(result, expected, `${what}: ${result.ok ? 'sound' : result.message}`);
    t.equal(isExportRight(file, logKey, witnessKey), result.ok, `${what}: the independent verifier agrees`);
  };
  await fillLog(log, rowCount);
  const bad = randomInt(rowCount - 2 * tailRows);
  const other = bad + tailRows;
  t.comment(`rows ${bad} and ${other}`);
  expect(await verifyLog(log, log.auditDatabase), { ok: true, size: rowCount, rowsHashed: rowCount }, 'untouched');
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
