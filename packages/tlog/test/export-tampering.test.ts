import fc from 'fast-check';
import { test } from 'tap';
import { isExportRight } from './independent-verifier.ts';
import {
  createTestLog,
  edited,
  exportToBuffer,
  logKey,
  logSigner,
  place,
  type TestLog,
  testRow,
  verifyFile,
  witnessKey,
} from './log-fixture.ts';

test('B-log: any one byte changed anywhere in the file is found, and placed in its row', async (t) => {
  const log = await createTestLog([100, 300]);
  const file = await exportToBuffer(log);
  const lineOf = createLineIndex(file);
  const property = fc.asyncProperty(
    fc.nat({ max: file.length - 1 }),
    fc.integer({ min: 1, max: 255 }),
    async (at, flip) => {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ flip;
      const result = await verifyFile(changed);
      if (result.ok || isExportRight(changed, logKey, witnessKey)) return false;
      const line = lineOf(at);
      return line.kind !== 'row' || result.firstBadIndex === line.index;
    },
  );
  await t.resolves(fc.assert(property, { numRuns: 120 }));
});

test('B-log: every byte of the header counts, also of keys the caller has pinned', async (t) => {
  const file = await exportToBuffer(await createTestLog([5]));
  const survived: number[] = [];
  // Every fifth byte: enough to meet every key, name, number and signature.
  for (let at = 0; at < file.indexOf('\n'); at += 5) {
    const changed = Buffer.from(file);
    changed[at] = (changed[at] ?? 0) ^ 1;
    if ((await verifyFile(changed)).ok) survived.push(at);
  }
  t.same(survived, []);
});

/** Which line, and which row, a byte of the file belongs to. */
function createLineIndex(file: Buffer) {
  const lines = file.toString('latin1').split('\n');
  return (at: number) => {
    let start = 0;
    for (const line of lines) {
      if (at <= start + line.length) {
        const index = /^{"index":(\d+),/.exec(line)?.[1];
        return index === undefined ? { kind: 'other' as const } : { kind: 'row' as const, index: Number(index) };
      }
      start += line.length + 1;
    }
    throw new Error(`no line at ${at}`);
  };
}

test('B-log: both verifiers agree on any mixture of tampering', async (t) => {
  const log = await createTestLog([200, 513]);
  const acts = fc.array(
    fc.record({
      act: fc.constantFrom('edit', 'swap', 'drop', 'double', 'cut', 'retile', 'nothing'),
      at: fc.nat({ max: 512 }),
      to: fc.nat({ max: 512 }),
    }),
    { minLength: 1, maxLength: 3 },
  );
  const property = fc.asyncProperty(acts, async (list) => {
    let rows = [...log.rows];
    const retiled = new Set<number>();
    for (const { act, at, to } of list) {
      const [a, b] = [rows[at % Math.max(1, rows.length)], rows[to % Math.max(1, rows.length)]];
      if (!a || !b) continue;
      const [i, j] = [rows.indexOf(a), rows.indexOf(b)];
      if (act === 'edit') rows[i] = { ...a, record: { ...a.record, id: `edited-${to}` } };
      if (act === 'swap') rows = rows.with(i, { ...b, index: a.index }).with(j, { ...a, index: b.index });
      if (act === 'drop') rows.splice(i, 1);
      if (act === 'double') rows.splice(i, 0, a);
      if (act === 'cut') rows.length = i;
      if (act === 'retile') retiled.add(Math.floor(at / 256));
    }
    const readTile = async (level: number, index: number, width: number) => {
      const tile = Buffer.from((await log.readTile(level, index, width)) ?? []);
      if (retiled.has(index)) tile[0] = (tile[0] ?? 0) ^ 1;
      return tile;
    };
    const file = await exportToBuffer({ ...log, rows }, { readTile });
    const isUntouched = rows.length === 513 && rows.every((row, at) => isSameRow(row, at)) && retiled.size === 0;
    const result = await verifyFile(file);
    const isAgreed = result.ok === isExportRight(file, logKey, witnessKey) && result.ok === isUntouched;
    if (result.ok || retiled.size > 0) return isAgreed;
    // With true tiles the first bad row is always placed exactly.
    const at = rows.findIndex((row, position) => !isSameRow(row, position));
    return isAgreed && result.firstBadIndex === (at < 0 ? rows.length : at);
  });
  await t.resolves(fc.assert(property, { numRuns: 50 }));
});

function isSameRow(row: TestLog['rows'][number], at: number): boolean {
  return JSON.stringify(row) === JSON.stringify(testRow(at));
}

test('B-log: of 4,000 rows, each way of tampering is found and placed', async (t) => {
  const size = 4_000;
  const log = await createTestLog([1_600, size]);
  const check = async (what: string, rows: TestLog['rows'], expected: unknown) => {
    t.same(place(await verifyFile(await exportToBuffer({ ...log, rows }))), expected, what);
  };
  await check('nothing', log.rows, 'ok');
  await check('one byte edited', edited(log, 2_626).rows, { code: 'CHANGED_ROW', firstBadIndex: 2_626 });
  const swapped = log.rows.with(77, { ...testRow(3_999), index: 77 }).with(3_999, { ...testRow(77), index: 3_999 });
  await check('two rows swapped', swapped, { code: 'CHANGED_ROW', firstBadIndex: 77 });
  const tail = { code: 'MISSING_ROWS', firstBadIndex: 3_900, missing: [3_900, 3_999] };
  await check('the tail deleted', log.rows.slice(0, 3_900), tail);
  const all = { code: 'MISSING_ROWS', firstBadIndex: 0, missing: [0, 3_999] };
  await check('everything deleted', [], all);
  const rewritten = await createTestLog([1_600, size], {
    signers: [logSigner],
    row: (index) => testRow(index, index + 1_000_000),
  });
  const trustedCheckpoints = [{ label: 'the witness', note: log.checkpoints[1] ?? '' }];
  const result = await verifyFile(await exportToBuffer(rewritten), { trustedCheckpoints });
  t.same(place(result), { code: 'REWRITTEN', firstBadIndex: 0 }, 'everything rewritten and signed again');
});
