import fc from 'fast-check';
import { test } from 'tap';
import {
  appendLeaves,
  consistencyProof,
  createCompactRange,
  emptyRoot,
  emptyTreeState,
  inclusionProof,
  isConsistencyProofValid,
  isInclusionProofValid,
  leafHash,
  readTreeState,
  rootFromState,
  rootFromTiles,
  TlogError,
} from '../src/index.ts';
import { createTiles, growTree, testLeaf } from './log-fixture.ts';
import { createReferenceTree } from './reference-tree.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

// The reference tree of certificate-transparency and transparency-dev/merkle: entries, roots of every size, proofs.
const CT_ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const CT_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const CT_INCLUSION: [index: number, size: number, proof: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const CT_CONSISTENCY: [oldSize: number, size: number, proof: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
  [
    6,
    7,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
];

test('B-log: hashes, roots and proofs are those of the published RFC 6962 reference tree', async (t) => {
  const leaves = CT_ENTRIES.map((entry) => leafHash(Buffer.from(entry, 'hex')));
  const { read } = growTree(leaves);
  const range = createCompactRange();
  t.equal(hex(emptyRoot()), CT_ROOTS[0]);
  t.equal(hex(range.root()), CT_ROOTS[0]);
  for (const [at, leaf] of leaves.entries()) {
    range.append(leaf);
    t.equal(hex(range.root()), CT_ROOTS[at + 1], `root of ${at + 1}`);
    t.equal(hex(await rootFromTiles(at + 1, read)), CT_ROOTS[at + 1], `root of ${at + 1} from tiles`);
  }
  for (const [index, size, proof] of CT_INCLUSION) {
    t.same((await inclusionProof(index, size, read)).map(hex), proof, `inclusion of ${index} in ${size}`);
  }
  for (const [oldSize, size, proof] of CT_CONSISTENCY) {
    t.same((await consistencyProof(oldSize, size, read)).map(hex), proof, `consistency of ${oldSize} and ${size}`);
  }
});

test('B-log: every proof of every tree of up to 300 entries is accepted, and as the RFC defines it', async (t) => {
  const sizeMax = 300;
  const leaves = Array.from({ length: sizeMax }, (_, index) => testLeaf(index));
  const reference = createReferenceTree(leaves);
  const { read } = growTree(leaves, 7);
  const wrong: string[] = [];
  for (let size = 1; size <= sizeMax; size += 1) {
    const root = reference.mth(0, size);
    for (let m = 0; m < size; m += 1) {
      const leaf = leaves[m] as Uint8Array;
      const claim = { leaf, index: m, size, proof: reference.path(m, size), root };
      if (!isInclusionProofValid(claim)) wrong.push(`inclusion ${m}/${size}`);
      const oldSize = m + 1;
      const proof = reference.proof(oldSize, size);
      if (!isConsistencyProofValid({ oldSize, oldRoot: reference.mth(0, oldSize), size, root, proof })) {
        wrong.push(`consistency ${oldSize}/${size}`);
      }
    }
    const some = [0, 1, size >> 1, size - 1, 127, 128, 255, 256, (size * 7) % size].filter((m) => m < size);
    for (const m of new Set(some)) {
      const path = (await inclusionProof(m, size, read)).map(hex);
      if (path.join() !== reference.path(m, size).map(hex).join()) wrong.push(`path ${m}/${size}`);
      const proof = (await consistencyProof(m, size, read)).map(hex);
      if (proof.join() !== reference.proof(m, size).map(hex).join()) wrong.push(`proof ${m}/${size}`);
    }
    if (hex(await rootFromTiles(size, read)) !== hex(root)) wrong.push(`root ${size}`);
  }
  t.same(wrong, []);
});

test('B-log: proofs of large trees come from tiles in O(log n) and are those of the RFC', async (t) => {
  const sizeMax = 70_000;
  const leaves = Array.from({ length: sizeMax }, (_, index) => testLeaf(index));
  const reference = createReferenceTree(leaves);
  const { read, state } = growTree(leaves, 20_000);
  t.equal(hex(rootFromState(state)), hex(reference.mth(0, sizeMax)));
  const sizes = fc.integer({ min: 1, max: sizeMax });
  const property = fc.assert(
    fc.asyncProperty(sizes, fc.nat(), async (size, pick) => {
      const index = pick % size;
      const reads: string[] = [];
      const counted = (level: number, at: number, width: number) => {
        reads.push(`${level}/${at}`);
        return read(level, at, width);
      };
      const root = await rootFromTiles(size, read);
      const proof = await inclusionProof(index, size, counted);
      const levels = Math.ceil(Math.log2(size + 1) / 8);
      const oldRoot = await rootFromTiles(index, read);
      const consistency = await consistencyProof(index, size, read);
      return (
        hex(root) === hex(reference.mth(0, size)) &&
        proof.map(hex).join() === reference.path(index, size).map(hex).join() &&
        isInclusionProofValid({ leaf: leaves[index] as Uint8Array, index, size, proof, root }) &&
        consistency.map(hex).join() === reference.proof(index, size).map(hex).join() &&
        isConsistencyProofValid({ oldSize: index, oldRoot, size, root, proof: consistency }) &&
        reads.length === new Set(reads).size &&
        reads.length <= 2 * levels
      );
    }),
    { numRuns: 150 },
  );
  await t.resolves(property);
});

test('B-log: appending in any batches gives the same tree, and only tiles that changed', async (t) => {
  const property = fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 6 }), async (batches) => {
      const total = batches.reduce((sum, batch) => sum + batch, 0);
      const leaves = Array.from({ length: total }, (_, index) => testLeaf(index));
      const tiles = createTiles();
      let state = emptyTreeState();
      const range = createCompactRange();
      for (const batch of batches) {
        const added = leaves.slice(state.size, state.size + batch);
        const appended = appendLeaves(state, added);
        const places = appended.tiles.map(({ level, index }) => `${level}/${index}`);
        if (new Set(places).size !== places.length) return false;
        // A tile changed only if it holds the hash of a subtree that ends after the old size.
        const changed = appended.tiles.every(({ level, index, width }) => {
          const end = (index * 256 + width) * 256 ** level;
          return end > state.size && end <= appended.state.size;
        });
        if (!changed) return false;
        tiles.store(appended.tiles);
        state = appended.state;
        for (const leaf of added) range.append(leaf);
      }
      const again = await readTreeState(total, tiles.read);
      return (
        hex(rootFromState(state)) === hex(range.root()) &&
        hex(rootFromState(again)) === hex(range.root()) &&
        hex(createCompactRange({ size: total, hashes: range.hashes() }).root()) === hex(range.root())
      );
    }),
    { numRuns: 60 },
  );
  await t.resolves(property);
});

test('B-log: forged proofs are refused', async (t) => {
  const leaves = Array.from({ length: 300 }, (_, index) => testLeaf(index));
  const reference = createReferenceTree(leaves);
  const forge = (proof: readonly Buffer[], how: number, at: number): Buffer[] => {
    const copy = proof.map((hash) => Buffer.from(hash));
    const target = copy[at % Math.max(1, copy.length)];
    if (how === 0 && target) target[at % 32] = (target[at % 32] ?? 0) ^ (1 << (at % 8));
    else if (how === 1 && copy.length > 0) copy.splice(at % copy.length, 1);
    else if (how === 2 && copy.length > 1) copy.reverse();
    else copy.splice(at % (copy.length + 1), 0, Buffer.alloc(32, at));
    return copy;
  };
  const arbitrary = [fc.integer({ min: 2, max: 300 }), fc.nat(), fc.integer({ min: 0, max: 3 }), fc.nat()] as const;
  const inclusion = fc.property(...arbitrary, (size, pick, how, at) => {
    const index = pick % size;
    const root = reference.mth(0, size);
    const leaf = leaves[index] as Uint8Array;
    const proof = reference.path(index, size);
    const other = (index + 1 + (at % (size - 1))) % size;
    return (
      isInclusionProofValid({ leaf, index, size, proof, root }) &&
      !isInclusionProofValid({ leaf, index, size, proof: forge(proof, how, at), root }) &&
      !isInclusionProofValid({ leaf, index: other, size, proof, root }) &&
      !isInclusionProofValid({ leaf: leaves[other] as Uint8Array, index, size, proof, root }) &&
      !isInclusionProofValid({ leaf, index, size, proof, root: reference.mth(0, size - 1) })
    );
  });
  const consistency = fc.property(...arbitrary, (size, pick, how, at) => {
    const oldSize = 1 + (pick % (size - 1));
    const honest = { oldSize, oldRoot: reference.mth(0, oldSize), size, root: reference.mth(0, size) };
    const proof = reference.proof(oldSize, size);
    const other = Buffer.alloc(32, at);
    return (
      isConsistencyProofValid({ ...honest, proof }) &&
      !isConsistencyProofValid({ ...honest, proof: forge(proof, how, at) }) &&
      !isConsistencyProofValid({ ...honest, proof: [] }) &&
      !isConsistencyProofValid({ ...honest, proof, oldRoot: other }) &&
      !isConsistencyProofValid({ ...honest, proof, root: other })
    );
  });
  t.doesNotThrow(() => fc.assert(inclusion, { numRuns: 2_000 }));
  t.doesNotThrow(() => fc.assert(consistency, { numRuns: 2_000 }));
});

test('B-log: the edge cases of proofs', async (t) => {
  const root = testLeaf(1);
  const same = { oldSize: 3, oldRoot: root, size: 3, root };
  t.equal(isConsistencyProofValid({ ...same, proof: [] }), true, 'a tree is consistent with itself');
  t.equal(isConsistencyProofValid({ ...same, root: testLeaf(2), proof: [] }), false, 'a fork is not');
  t.equal(isConsistencyProofValid({ ...same, proof: [root] }), false, 'and needs no proof');
  const fromNothing = { oldSize: 0, oldRoot: emptyRoot(), size: 3, root };
  t.equal(isConsistencyProofValid({ ...fromNothing, proof: [] }), true, 'every tree extends the empty one');
  t.equal(isConsistencyProofValid({ ...fromNothing, oldRoot: root, proof: [] }), false, 'whose root is fixed');
  t.equal(isConsistencyProofValid({ ...fromNothing, size: 0, proof: [] }), false, 'also when it is the new one');
  t.equal(isConsistencyProofValid({ ...same, size: 2, proof: [] }), false, 'a tree never shrinks');
  t.equal(isInclusionProofValid({ leaf: root, index: 1, size: 1, proof: [], root }), false, 'index beyond the tree');
  t.equal(isInclusionProofValid({ leaf: root, index: 0.5, size: 1, proof: [], root }), false, 'half an index');
  t.equal(isInclusionProofValid({ leaf: root, index: 0, size: 1, proof: [], root: root.subarray(1) }), false, 'length');
  await t.rejects(
    inclusionProof(5, 5, () => undefined),
    { code: 'OUT_OF_RANGE' },
  );
  await t.rejects(
    consistencyProof(6, 5, () => undefined),
    { code: 'OUT_OF_RANGE' },
  );
  await t.rejects(
    inclusionProof(0, 5, () => undefined),
    { code: 'TILE_MISSING' },
  );
  await t.rejects(
    inclusionProof(0, 5, () => Buffer.alloc(4 * 32)),
    { code: 'TILE_MISSING' },
  );
  t.throws(() => appendLeaves({ size: 3, edge: [Buffer.alloc(64)] }, []), TlogError, 'a state that contradicts itself');
  t.throws(() => appendLeaves(emptyTreeState(), [Buffer.alloc(31)]), { code: 'OUT_OF_RANGE' });
  t.throws(() => createCompactRange({ size: 3, hashes: [root] }), { code: 'OUT_OF_RANGE' });
  const full = createCompactRange({ size: 2 ** 33 - 1, hashes: Array.from({ length: 33 }, (_, at) => testLeaf(at)) });
  full.append(root);
  t.equal(full.hashes().length, 1, 'appending beyond 32 bits merges all that is complete');
  const huge = 2 ** 40 + 12_345;
  const far = await inclusionProof(2 ** 40, huge, () => Buffer.alloc(8_192));
  t.ok(far.length > 14 && far.length <= 41, 'sizes beyond 32 bits are halved, not shifted');
});
