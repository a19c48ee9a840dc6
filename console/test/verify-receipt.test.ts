// The browser's verifier against the log's own code: it accepts what packages/tlog makes, and nothing that was changed.
import { randomBytes } from 'node:crypto';
import {
  type AuditRecord,
  appendLeaves,
  createCosigner,
  createNoteSigner,
  createSalt,
  emptyTreeState,
  formatReceipt,
  formatVerifierKey,
  inclusionProof,
  openReceipt,
  parseVerifierKey,
  privateKeyFromSeed,
  recordToLeafHash,
  rootFromState,
  signCheckpoint,
} from '@strongroom/tlog';
import t from 'tap';
import { verifyReceipt } from '../src/proof/verify-receipt.ts';

const origin = 'strongroom.test/log';
const logSigner = createNoteSigner(origin, privateKeyFromSeed(randomBytes(32)));
const witness = createCosigner('witness.test/w1', privateKeyFromSeed(randomBytes(32)), () => 1_790_000_000);
const logKey = formatVerifierKey(logSigner.key);
const witnessKey = formatVerifierKey(witness.key);

function recordOf(index: number): AuditRecord {
  return { action: 'PAYMENT_CREATED', actorId: `person-${index}`, details: { note: 'Käse, 3 €', n: index } };
}

/** Receipts of a log of some size, at some places. */
async function receiptsOf(size: number, places: readonly number[]): Promise<string[]> {
  const rows = Array.from({ length: size }, (_, index) => ({ record: recordOf(index), salt: createSalt() }));
  const { state, tiles } = appendLeaves(
    emptyTreeState(),
    rows.map(({ record, salt }) => recordToLeafHash(record, salt)),
  );
  const readTile = (level: number, index: number) =>
    tiles.find((tile) => tile.level === level && tile.index === index)?.bytes;
  const unsigned = { origin, size, root: rootFromState(state), extensions: [] };
  const checkpoint = await signCheckpoint(unsigned, [logSigner, witness]);
  return Promise.all(
    places.map(async (index) => {
      const { record, salt } = rows[index] as (typeof rows)[number];
      const hashes = await inclusionProof(index, size, readTile);
      return formatReceipt({ record, salt, index, hashes, checkpoint });
    }),
  );
}

t.test('B-console, B-receipt: every receipt of logs of many sizes verifies, by the log and its witness', async (t) => {
  for (const size of [1, 2, 3, 7, 8, 33, 300]) {
    const places = [...new Set([0, Math.floor(size / 2), size - 1])];
    for (const [at, receipt] of (await receiptsOf(size, places)).entries()) {
      const { isVerified, steps, record } = await verifyReceipt(receipt, [logKey, witnessKey]);
      t.ok(isVerified, `event ${places[at]} of ${size}: ${steps.map(({ text }) => text).join(' ')}`);
      t.same(record, recordOf(places[at] as number));
    }
  }
});

t.test('B-console, B-receipt: a receipt with one character changed is refused, wherever it stands', async (t) => {
  const [receipt = ''] = await receiptsOf(21, [13]);
  const trust = {
    origin,
    logKeys: [parseVerifierKey(logKey)],
    witnessKeys: [parseVerifierKey(witnessKey)],
    quorum: 1,
  };
  t.ok(openReceipt(receipt, trust), 'the log’s own verifier takes it as it is');
  for (let at = 0; at < receipt.length; at += 3) {
    const other = receipt[at] === 'A' ? 'B' : 'A';
    const { isVerified, record } = await verifyReceipt(receipt.slice(0, at) + other + receipt.slice(at + 1), [
      logKey,
      witnessKey,
    ]);
    t.notOk(isVerified, `character ${at}`);
    t.equal(record, undefined);
  }
});

t.test('B-console: a receipt proves nothing without a key of its log, or by a key of another', async (t) => {
  const [receipt = ''] = await receiptsOf(5, [2]);
  const stranger = createNoteSigner(origin, privateKeyFromSeed(randomBytes(32)));
  const otherLog = createNoteSigner('strongroom.test/other', privateKeyFromSeed(randomBytes(32)));
  const trusted = async (...keys: string[]) => (await verifyReceipt(receipt, keys)).isVerified;
  t.equal(await trusted(logKey), true);
  t.equal(await trusted(), false);
  t.equal(await trusted(witnessKey), false);
  t.equal(await trusted(formatVerifierKey(stranger.key)), false);
  t.equal(await trusted(logKey, formatVerifierKey(otherLog.key)), false, 'a trusted key that has not signed');
  t.equal(await trusted(logKey.replace(/\+.{8}\+/, '+00000000+')), false, 'a key id that is not its own');
  t.equal(await trusted('nonsense'), false);
});
