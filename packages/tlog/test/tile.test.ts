import fc from 'fast-check';
import { test } from 'tap';
import {
  appendLeaves,
  decodeEntryBundle,
  emptyTreeState,
  encodeEntryBundle,
  parseTilePath,
  tilePath,
  tileWidth,
} from '../src/index.ts';
import { growTree, testLeaf } from './log-fixture.ts';

test('B-log: tile paths are those of C2SP tlog-tiles', async (t) => {
  t.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067', 'the example of the text');
  t.equal(tilePath({ level: 1, index: 0, width: 256 }), 'tile/1/000');
  t.equal(tilePath({ level: 63, index: 999, width: 1 }), 'tile/63/999.p/1');
  t.equal(tilePath({ level: 0, index: 1_000, width: 255 }), 'tile/0/x001/000.p/255');
  t.equal(tilePath({ level: 'entries', index: 42, width: 17 }), 'tile/entries/042.p/17');
  t.same(parseTilePath('tile/entries/x001/000'), { level: 'entries', index: 1_000, width: 256 });
  const tiles = fc.record({
    level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
    index: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    width: fc.integer({ min: 1, max: 256 }),
  });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(tiles, (tile) => {
        const parsed = parseTilePath(tilePath(tile));
        return parsed.level === tile.level && parsed.index === tile.index && parsed.width === tile.width;
      }),
    ),
  );
});

test('B-log: anything that is not the one spelling of a tile is refused', async (t) => {
  const wrong = [
    '',
    'tile/0/0',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000/',
    '/tile/0/000',
    'tile/entries/../000',
    'tile/data/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    `tile/0/${'x001/'.repeat(30)}001`,
  ];
  for (const path of wrong) t.throws(() => parseTilePath(path), { code: 'MALFORMED_TILE' }, path);
  t.throws(() => tilePath({ level: 64, index: 0, width: 1 }), { code: 'MALFORMED_TILE' });
  t.throws(() => tilePath({ level: 0, index: 0, width: 0 }), { code: 'MALFORMED_TILE' });
  t.throws(() => tilePath({ level: 0, index: -1, width: 1 }), { code: 'OUT_OF_RANGE' });
});

test('B-log: a tree of 70,000 entries has the tiles the text lists', async (t) => {
  const { state } = growTree(Array.from({ length: 256 }, (_, index) => testLeaf(index)));
  t.same(
    state.edge.map(({ length }) => length / 32),
    [0, 1],
    'a tree of 256 has no partial tile at level 0 and one of width 1 at level 1',
  );
  const widths = (level: number) => [0, 1, 272, 273, 274].map((index) => tileWidth(level, index, 70_000));
  t.same(widths(0), [256, 256, 256, 112, 0], '273 full tiles and one of width 112');
  t.same(widths(1), [256, 17, 0, 0, 0], 'one full tile and one of width 17');
  t.same(widths(2), [1, 0, 0, 0, 0], 'one of width 1');
  const leaves = Array.from({ length: 600 }, (_, index) => testLeaf(index));
  const { tiles } = appendLeaves(emptyTreeState(), leaves);
  t.same(
    tiles.map(({ level, index, width }) => [level, index, width]),
    [
      [0, 0, 256],
      [0, 1, 256],
      [0, 2, 88],
      [1, 0, 2],
    ],
  );
  t.throws(() => appendLeaves(emptyTreeState(), new Array(65_537).fill(leaves[0])), { code: 'LIMIT_EXCEEDED' });
});

test('B-log: entry bundles carry a uint16 length before each entry', async (t) => {
  const bundle = encodeEntryBundle([Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(300, 7)]);
  t.equal(bundle.subarray(0, 7).toString('hex'), '00016100000' + '12c');
  t.same(decodeEntryBundle(bundle), [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(300, 7)]);
  t.throws(() => decodeEntryBundle(bundle.subarray(0, bundle.length - 1)), { code: 'MALFORMED_TILE' });
  t.throws(() => decodeEntryBundle(Buffer.of(0)), { code: 'MALFORMED_TILE' });
  t.throws(() => decodeEntryBundle(Buffer.alloc(2 * 257)), { code: 'MALFORMED_TILE' }, 'more than 256 entries');
  t.throws(() => encodeEntryBundle([Buffer.alloc(65_536)]), { code: 'MALFORMED_TILE' });
  t.throws(() => encodeEntryBundle(new Array(257).fill(Buffer.alloc(1))), { code: 'MALFORMED_TILE' });
});
