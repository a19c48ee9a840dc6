import { test } from 'tap';
import {
  formatProof,
  formatReceipt,
  inclusionProof,
  openProof,
  openReceipt,
  parseProof,
  recordToLeafHash,
} from '../src/index.ts';
import { createTestLog, testLeaf, testRow, trustOf } from './log-fixture.ts';

// C2SP tlog-proof, the example of the text, with signatures of full length.
const EXAMPLE = `c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJwAAAAAAAAAAAA==
`;

test('B-receipt: tlog-proof files are read and written as the text says', async (t) => {
  const proof = parseProof(EXAMPLE);
  t.equal(proof.index, 73_894);
  t.equal(Buffer.from(proof.extra ?? []).toString(), 'age-v1.2.1-darwin-arm64.tar.gz');
  t.equal(proof.hashes.length, 2);
  t.equal(formatProof(proof), EXAMPLE);
  const { extra: _, ...bare } = proof;
  t.equal(formatProof(bare), EXAMPLE.replace(/extra .*\n/, ''), 'without extra data the line is left out');
  const changes: [from: string | RegExp, to: string][] = [
    ['@v1', '@v2'],
    ['index 73894', 'index 073894'],
    ['index 73894\n', ''],
    ['extra YWdl', 'extra !!!!'],
    ['PlQ=', 'PlR='],
    ['PlQ=', ''],
    ['\n\nexample', '\nexample'],
    [/^/, '\n'],
    ['index 73894\n', `index 1\n${'gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n'.repeat(62)}`],
  ];
  for (const [from, to] of changes) {
    t.throws(() => parseProof(EXAMPLE.replace(from, to)), { code: 'MALFORMED_PROOF' }, `${from} → ${to.slice(0, 20)}`);
  }
  t.throws(() => parseProof(EXAMPLE.replace('— ', '- ')), { code: 'MALFORMED_NOTE' });
});

test('B-receipt: a receipt proves its record offline, and nothing else', async (t) => {
  const log = await createTestLog([300, 1_000]);
  const [, checkpoint = ''] = log.checkpoints;
  const { record, salt } = testRow(777);
  const hashes = await inclusionProof(777, 1_000, log.readTile);
  const receipt = formatReceipt({ record, salt, index: 777, hashes, checkpoint });
  const opened = openReceipt(receipt, trustOf());
  t.same(opened.record, record);
  t.equal(opened.index, 777);
  t.equal(opened.checkpoint.size, 1_000);
  t.equal(opened.cosignatures.length, 1);
  t.equal(openProof(receipt, recordToLeafHash(record, salt), trustOf()).index, 777);

  t.throws(() => openProof(receipt, testLeaf(1), trustOf()), { code: 'INVALID_PROOF' });
  t.throws(() => openReceipt(receipt.replace('index 777', 'index 776'), trustOf()), { code: 'INVALID_PROOF' });
  const forged = { ...record, details: { amount: 1 } };
  const forgery = formatReceipt({ record: forged, salt, index: 777, hashes, checkpoint });
  t.throws(() => openReceipt(forgery, trustOf()), { code: 'INVALID_PROOF' }, 'another record');
  const resalted = formatReceipt({ record, salt: Buffer.alloc(32), index: 777, hashes, checkpoint });
  t.throws(() => openReceipt(resalted, trustOf()), { code: 'INVALID_PROOF' }, 'another salt');
  const extra = Buffer.from(parseProof(receipt).extra ?? []).toString();
  const respelled = [
    ` ${extra}`,
    extra.replace('{"record":{', '{"record":{"id":"shown to a careless reader",'),
    '{}',
    '',
  ];
  for (const text of respelled) {
    const other = formatProof({ index: 777, hashes, checkpoint, extra: Buffer.from(text) });
    t.throws(() => openReceipt(other, trustOf()), { code: 'MALFORMED_PROOF' }, `not canonical: ${text.slice(0, 20)}`);
  }
  t.throws(() => openReceipt(formatProof({ index: 777, hashes, checkpoint }), trustOf()), { code: 'MALFORMED_PROOF' });
  t.throws(() => openReceipt(receipt, { ...trustOf(), witnessKeys: [], quorum: 1 }), { code: 'OUT_OF_RANGE' });
});
