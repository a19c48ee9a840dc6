import { test } from 'tap';
import {
  createCosigner,
  createNoteSigner,
  exportLog,
  formatVerifierKey,
  privateKeyFromSeed,
  recordToLeafHash,
} from '../src/index.ts';
import { isExportRight } from './independent-verifier.ts';
import {
  createTestLog,
  edited,
  exportToBuffer,
  inChunks,
  logKey,
  logSigner,
  NOW_SECONDS,
  ORIGIN,
  place,
  testRow,
  verifyFile,
  WITNESS,
  witnessKey,
} from './log-fixture.ts';

const SIZE = 2_000;
const MILESTONES = [500, 1_200, SIZE];
const honest = await createTestLog(MILESTONES);

test('B-log: an untouched export verifies by the public keys alone', async (t) => {
  const file = await exportToBuffer(honest);
  const progress: number[] = [];
  const result = await verifyFile(file, { onProgress: (done) => progress.push(done) });
  if (!result.ok) return t.fail(result.message);
  t.match(result, { origin: ORIGIN, size: SIZE, rowsHashed: SIZE, rowsPruned: 0, minimumIndex: 0, checkpoints: 3 });
  t.match(result.trust, { logKeys: 'pinned', witnessKeys: 'pinned', quorum: 1 });
  t.same(
    result.cosignatures.map(({ name, timestampSeconds }) => [name, timestampSeconds]),
    [[WITNESS, NOW_SECONDS]],
  );
  t.equal(progress.at(-1), SIZE);
  t.equal(isExportRight(file, logKey, witnessKey), true, 'the independent verifier agrees');
  const unpinned = await verifyFile(file, { logKeys: [], witnessKeys: [] });
  t.match(unpinned.trust, { logKeys: 'from the file', witnessKeys: 'from the file' }, 'and the trust is named');
  const withoutTiles = await exportToBuffer(honest, { readTile: undefined });
  t.equal(place(await verifyFile(withoutTiles)), 'ok');
  t.equal(isExportRight(withoutTiles, logKey, witnessKey), true);
  const oddChunks = await verifyFile(file.subarray(0), { chunks: inChunks(file, 1_009) });
  t.equal(place(oddChunks), 'ok', 'however the file is cut while reading');
});

test('B-log: one changed record is found and placed', async (t) => {
  for (const index of [0, 255, 256, 1_234, SIZE - 1]) {
    const file = await exportToBuffer(edited(honest, index));
    t.same(place(await verifyFile(file)), { code: 'CHANGED_ROW', firstBadIndex: index });
    t.equal(isExportRight(file, logKey, witnessKey), false);
  }
  const two = await exportToBuffer(edited(edited(honest, 1_700), 300));
  t.same(place(await verifyFile(two)), { code: 'CHANGED_ROW', firstBadIndex: 300 }, 'the first of two');
  const noTiles = await exportToBuffer(edited(honest, 1_234), { readTile: undefined });
  t.same(place(await verifyFile(noTiles)), { code: 'REWRITTEN', firstBadIndex: 1_200 }, 'else between checkpoints');
  const salted = { ...honest, rows: honest.rows.with(99, { ...testRow(99), salt: Buffer.alloc(32, 1) }) };
  t.same(place(await verifyFile(await exportToBuffer(salted))), { code: 'CHANGED_ROW', firstBadIndex: 99 });
});

test('B-log: a changed stored hash is told from a changed record', async (t) => {
  const readTile = async (level: number, index: number, width: number) => {
    const tile = Buffer.from((await honest.readTile(level, index, width)) ?? []);
    if (index === 4) tile[7 * 32] = (tile[7 * 32] ?? 0) ^ 1;
    return tile;
  };
  const damaged = await verifyFile(await exportToBuffer(honest, { readTile }));
  t.same(place(damaged), { code: 'DAMAGED_TILE', firstBadIndex: 4 * 256 + 7 });
  const lost = await exportToBuffer(honest, {
    readTile: (level, index, width) => (index === 3 ? undefined : honest.readTile(level, index, width)),
  });
  t.same(place(await verifyFile(lost)), { code: 'DAMAGED_TILE', firstBadIndex: 768 });
  const both = await exportToBuffer(edited(honest, 900), { readTile });
  const result = await verifyFile(both);
  t.same(place(result), { code: 'CHANGED_ROW', firstBadIndex: 900 });
  t.match(result, { message: /cannot be vouched for/ });
});

test('B-log: two swapped rows are found and placed', async (t) => {
  const [a, b] = [100, 1_500];
  // Swapped in the database: each stands under the other's index.
  const inPlace = honest.rows.with(a, { ...testRow(b), index: a }).with(b, { ...testRow(a), index: b });
  const swapped = await exportToBuffer({ ...honest, rows: inPlace });
  t.same(place(await verifyFile(swapped)), { code: 'CHANGED_ROW', firstBadIndex: a });
  const noTiles = await exportToBuffer({ ...honest, rows: inPlace }, { readTile: undefined });
  t.same(place(await verifyFile(noTiles)), { code: 'REWRITTEN', firstBadIndex: 0 });
  // Swapped in the file: two lines have changed places.
  for (const other of [a + 1, b]) {
    const moved = honest.rows.with(a, testRow(other)).with(other, testRow(a));
    const result = await verifyFile(await exportToBuffer({ ...honest, rows: moved }, { readTile: undefined }));
    t.same(place(result), { code: 'OUT_OF_ORDER', firstBadIndex: a });
  }
  const doubled = await exportToBuffer({ ...honest, rows: honest.rows.toSpliced(a, 0, testRow(a)) });
  t.same(place(await verifyFile(doubled)), { code: 'OUT_OF_ORDER', firstBadIndex: a + 1 }, 'a row that stands twice');
  const file = (await exportToBuffer(honest)).toString();
  for (const false_ of [a - 90, a + 5, 3_333]) {
    const renumbered = Buffer.from(file.replace(`{"index":${a},`, `{"index":${false_},`));
    t.match(await verifyFile(renumbered), { ok: false, firstBadIndex: a }, `row ${a} under the index ${false_}`);
  }
  const more = file.replace(/{"count":2000/, '{"index":2000,"leafHash":"","pruned":true}\n$&');
  t.same(place(await verifyFile(Buffer.from(more))), { code: 'DAMAGED_FILE', firstBadIndex: undefined });
  const last = file.split('\n').at(-3);
  const extra = file.replace(/{"count":2000/, `${last}\n{"count":2001`);
  t.same(place(await verifyFile(Buffer.from(extra))), { code: 'EXTRA_ROWS', firstBadIndex: SIZE });
});

test('B-log: missing rows are named as a range', async (t) => {
  const tail = await exportToBuffer({ ...honest, rows: honest.rows.slice(0, 1_900) });
  t.same(place(await verifyFile(tail)), { code: 'MISSING_ROWS', firstBadIndex: 1_900, missing: [1_900, SIZE - 1] });
  const middle = await exportToBuffer({ ...honest, rows: honest.rows.toSpliced(700, 100) });
  t.same(place(await verifyFile(middle)), { code: 'MISSING_ROWS', firstBadIndex: 700, missing: [700, 799] });
  const none = await exportToBuffer({ ...honest, rows: [] });
  t.same(place(await verifyFile(none)), { code: 'MISSING_ROWS', firstBadIndex: 0, missing: [0, SIZE - 1] });
  const file = await exportToBuffer(honest, { readTile: undefined });
  const line = (index: number) => file.indexOf(`{"index":${index},`);
  const cut = await verifyFile(file.subarray(0, line(500)));
  t.same(
    place(cut),
    { code: 'MISSING_ROWS', firstBadIndex: 500, missing: [500, SIZE - 1] },
    'a file cut between lines',
  );
  const torn = await verifyFile(file.subarray(0, line(500) + 10));
  t.same(place(torn), { code: 'UNREADABLE_ROW', firstBadIndex: 500 }, 'or within one');
  const noEnd = await verifyFile(file.subarray(0, file.indexOf('{"count"')));
  t.same(place(noEnd), { code: 'DAMAGED_FILE', firstBadIndex: undefined }, 'only the end line is missing');
});

test('B-log: a log cut back to an older, genuine checkpoint is caught by a newer one seen elsewhere', async (t) => {
  const [, middle = '', newest = ''] = honest.checkpoints;
  const rows = honest.rows.slice(0, 1_200);
  const cut = await exportToBuffer({ ...honest, rows, checkpoints: honest.checkpoints.slice(0, 2) });
  t.equal(place(await verifyFile(cut)), 'ok', 'by itself it is whole');
  const trustedCheckpoints = [{ label: 'the witness', note: newest }];
  const result = await verifyFile(cut, { trustedCheckpoints });
  t.same(place(result), { code: 'MISSING_ROWS', firstBadIndex: 1_200, missing: [1_200, SIZE - 1] });
  const both = await exportToBuffer({ ...honest, rows: rows.slice(0, 1_100), checkpoints: [middle] });
  const further = await verifyFile(both, { trustedCheckpoints });
  t.same(place(further), { code: 'MISSING_ROWS', firstBadIndex: 1_100, missing: [1_100, SIZE - 1] });
  const empty = await createTestLog([0]);
  const erased = await exportToBuffer(empty);
  t.equal(place(await verifyFile(erased)), 'ok', 'an empty log is a log');
  const all = { code: 'MISSING_ROWS', firstBadIndex: 0, missing: [0, SIZE - 1] };
  t.same(place(await verifyFile(erased, { trustedCheckpoints })), all, 'but not this one');
  t.same(place(await verifyFile(Buffer.alloc(0), { trustedCheckpoints })), all, 'nor is an empty file');
  t.match(await verifyFile(Buffer.alloc(0)), { ok: false, code: 'DAMAGED_FILE', message: /empty/ });
  const stale = await verifyFile(cut, { maxAgeSeconds: 3_600, nowSeconds: NOW_SECONDS + 3_601 });
  t.same(place(stale), { code: 'STALE', firstBadIndex: 1_200 }, 'or by the age of its cosignature');
  const fresh = await verifyFile(cut, { maxAgeSeconds: 3_600, nowSeconds: NOW_SECONDS + 3_600 });
  t.equal(place(fresh), 'ok');
  const agreeing = await verifyFile(await exportToBuffer(honest), {
    trustedCheckpoints: [{ label: 'earlier', note: middle }],
  });
  t.match(agreeing.trust?.trustedCheckpoints, [{ label: 'earlier', size: 1_200 }], 'an older one is consistent');
});

test('B-log: a log rewritten and signed again with its real key is caught by the witness', async (t) => {
  const other = (from: number) => (index: number) => testRow(index, index < from ? index : index + 1_000_000);
  const rewritten = await createTestLog(MILESTONES, { signers: [logSigner], row: other(0) });
  const trustedCheckpoints = [{ label: 'the witness', note: honest.checkpoints[1] ?? '' }];
  const file = await exportToBuffer(rewritten);
  t.same(place(await verifyFile(file)), { code: 'UNWITNESSED', firstBadIndex: 0 }, 'nobody has cosigned it');
  const known = await verifyFile(file, { trustedCheckpoints });
  t.same(place(known), { code: 'REWRITTEN', firstBadIndex: 0 });
  t.match(known, { message: /Rows 0 to 1199 were rewritten/ }, 'the witness remembers another history');
  const blind = await verifyFile(file, { trustedCheckpoints, quorum: 0 });
  t.same(place(blind), { code: 'REWRITTEN', firstBadIndex: 0 }, 'even if cosignatures are not asked for');
  const reused = await exportToBuffer({ ...rewritten, checkpoints: honest.checkpoints });
  t.same(place(await verifyFile(reused)), { code: 'REWRITTEN', firstBadIndex: 0 }, 'genuine checkpoints do not fit');
  const [first = '', , last = ''] = honest.checkpoints;
  const tail = await createTestLog(MILESTONES, { signers: [logSigner], row: other(600) });
  const mixed = await exportToBuffer({ ...tail, checkpoints: [first, tail.checkpoints[1] ?? '', last] });
  const placed = await verifyFile(mixed);
  t.same(place(placed), { code: 'REWRITTEN', firstBadIndex: 500 }, 'placed after the last cosigned one that fits');
  t.match(placed, { message: /Rows 500 to 1999/ }, "the log's own word for 1,200 clears nothing");
  const alone = await exportToBuffer({ ...tail, checkpoints: [first, ...tail.checkpoints.slice(1)] });
  t.same(place(await verifyFile(alone)), { code: 'UNWITNESSED', firstBadIndex: 500 }, 'what no witness vouches for');
});

test('B-log: keys of the attacker are caught by pinned keys, and named when nothing is pinned', async (t) => {
  const thief = createNoteSigner(ORIGIN, privateKeyFromSeed(Buffer.alloc(32, 66)));
  const accomplice = createCosigner(WITNESS, privateKeyFromSeed(Buffer.alloc(32, 67)), () => NOW_SECONDS);
  const log = await createTestLog([300], { signers: [thief, accomplice], row: (index) => testRow(index, index + 7) });
  const keys = { logKeys: [formatVerifierKey(thief.key)], witnessKeys: [formatVerifierKey(accomplice.key)] };
  const file = await exportToBuffer(log, keys);
  const unpinned = await verifyFile(file, { logKeys: [], witnessKeys: [] });
  t.match(unpinned, { ok: true, trust: { logKeys: 'from the file', witnessKeys: 'from the file' } });
  t.match(await verifyFile(file), { ok: false, code: 'UNTRUSTED' });
  const halfPinned = await createTestLog([300], { signers: [logSigner, accomplice] });
  const half = await exportToBuffer(halfPinned, { witnessKeys: keys.witnessKeys });
  t.same(place(await verifyFile(half)), { code: 'UNWITNESSED', firstBadIndex: 0 }, "the witness's key is pinned too");
  const foreign = await createTestLog([300], { signers: [logSigner, accomplice, thief] });
  t.equal(place(await verifyFile(await exportToBuffer(foreign), { witnessKeys: keys.witnessKeys })), 'ok');
  const wrongTrusted = await verifyFile(await exportToBuffer(honest), {
    trustedCheckpoints: [{ label: 'forged.note', note: log.checkpoints[0] ?? '' }],
  });
  t.match(wrongTrusted, { ok: false, code: 'UNTRUSTED', message: /forged\.note/ });
});

test('B-erase: pruned rows keep the proof chain whole, below the signed minimum index only', async (t) => {
  const log = await createTestLog([400, 1_000], { minimumIndex: 600 });
  const prune = (last: number) =>
    log.rows.map((row) =>
      row.index <= last && row.index % 5 !== 0
        ? { index: row.index, leafHash: recordToLeafHash(row.record, row.salt) }
        : row,
    );
  const file = await exportToBuffer(log, { rows: prune(599) });
  t.match(await verifyFile(file), { ok: true, rowsPruned: 480, rowsHashed: 520, minimumIndex: 600 });
  t.equal(isExportRight(file, logKey, witnessKey), true);
  const tooEarly = await exportToBuffer(log, { rows: prune(601) });
  t.same(place(await verifyFile(tooEarly)), { code: 'PRUNED_TOO_EARLY', firstBadIndex: 601 });
  t.equal(isExportRight(tooEarly, logKey, witnessKey), false);
  const wrongHash = prune(599).with(7, { index: 7, leafHash: Buffer.alloc(32) });
  t.same(place(await verifyFile(await exportToBuffer(log, { rows: wrongHash }))), {
    code: 'CHANGED_ROW',
    firstBadIndex: 7,
  });
  const unsigned = Buffer.from(file.toString().replace('"minimumIndex":600', '"minimumIndex":900'));
  t.match(await verifyFile(unsigned), { ok: false, message: /minimum index/ });
});

test('B-log: a stored row that is no record any more is named, not a crash', async (t) => {
  const log = await createTestLog([600]);
  const fraction = { ...testRow(300), record: { amount: 0.5 } };
  const result = await verifyFile(await exportToBuffer({ ...log, rows: log.rows.with(300, fraction) }));
  t.same(place(result), { code: 'UNREADABLE_ROW', firstBadIndex: 300 });
  const shortSalt = { ...testRow(301), salt: Buffer.alloc(31) };
  const salted = await verifyFile(await exportToBuffer({ ...log, rows: log.rows.with(301, shortSalt) }));
  t.same(place(salted), { code: 'UNREADABLE_ROW', firstBadIndex: 301 });
  const beyond = exportToBuffer({ ...log, rows: [...log.rows, testRow(600)] });
  await t.rejects(beyond, { code: 'OUT_OF_RANGE' }, 'the writer refuses rows its checkpoint does not cover');
  const appended = Buffer.from((await exportToBuffer(log)).toString().replace('{"count":600', '{"index":600}\n$&'));
  t.match(await verifyFile(appended), { ok: false });
});

test('B-log: a line that two readers could read differently is refused', async (t) => {
  const file = (await exportToBuffer(await createTestLog([20]))).toString();
  const respellings: [from: string, to: string][] = [
    ['{"index":7,', '{"index": 7,'],
    ['{"index":7,', '{"index":7.0,'],
    ['{"index":7,"record":{', '{"index":7,"record":{"id":"shown to a careless reader",'],
    ['"id":"event-7"', '"id":"event-\\u0037"'],
  ];
  for (const [from, to] of respellings) {
    const result = await verifyFile(Buffer.from(file.replace(from, to)));
    t.same(place(result), { code: 'UNREADABLE_ROW', firstBadIndex: 7 }, to);
  }
});

test('B-log: the export is written and read in constant memory, row by row', async (t) => {
  let largestLead = 0;
  let produced = 0;
  const log = await createTestLog([3_000]);
  const rows = (function* () {
    for (const row of log.rows) {
      produced += 1;
      yield row;
    }
  })();
  let consumed = 0;
  for await (const chunk of exportLog({ ...log, rows, origin: ORIGIN, logKeys: [logKey], witnessKeys: [witnessKey] })) {
    consumed += chunk.toString().match(/"index":/g)?.length ?? 0;
    largestLead = Math.max(largestLead, produced - consumed);
  }
  t.equal(consumed, 3_000);
  t.ok(largestLead <= 1, `no row waits in memory beyond its chunk (${largestLead})`);
});
