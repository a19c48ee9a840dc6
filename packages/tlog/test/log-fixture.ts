import {
  type AuditRecord,
  appendLeaves,
  createCosigner,
  createNoteSigner,
  emptyTreeState,
  exportLog,
  formatVerifierKey,
  leafHash,
  minimumIndexToExtensions,
  parseVerifierKey,
  privateKeyFromSeed,
  type ReadTile,
  recordToLeafHash,
  rootFromState,
  signCheckpoint,
  type TileUpdate,
  type TreeState,
  type Trust,
  type VerifyOptions,
  type VerifyResult,
  verifyExport,
} from '../src/index.ts';

export const ORIGIN = 'strongroom.example/audit';
export const WITNESS = 'witness.example/w1';
export const NOW_SECONDS = 1_800_000_000;

export const logSigner = createNoteSigner(ORIGIN, privateKeyFromSeed(Buffer.alloc(32, 1)));
export const witnessSigner = createCosigner(WITNESS, privateKeyFromSeed(Buffer.alloc(32, 2)), () => NOW_SECONDS);
export const logKey = formatVerifierKey(logSigner.key);
export const witnessKey = formatVerifierKey(witnessSigner.key);

export function trustOf(quorum = 1): Trust {
  return { origin: ORIGIN, logKeys: [logSigner.key], witnessKeys: [parseVerifierKey(witnessKey)], quorum };
}

export function testLeaf(index: number): Uint8Array {
  return leafHash(Buffer.from(`entry ${index}`));
}

/** Tiles in memory, as a log server would keep them: the widest one of each place. */
export function createTiles(): { store(tiles: readonly TileUpdate[]): void; read: ReadTile; reads: string[] } {
  const tiles = new Map<string, Uint8Array>();
  const reads: string[] = [];
  return {
    store(updates) {
      for (const { level, index, bytes } of updates) tiles.set(`${level}/${index}`, Buffer.from(bytes));
    },
    read(level, index) {
      reads.push(`${level}/${index}`);
      return tiles.get(`${level}/${index}`);
    },
    reads,
  };
}

export function growTree(leaves: readonly Uint8Array[], batch = 500): { state: TreeState; read: ReadTile } {
  const tiles = createTiles();
  let state = emptyTreeState();
  for (let at = 0; at < leaves.length; at += batch) {
    const appended = appendLeaves(state, leaves.slice(at, at + batch));
    tiles.store(appended.tiles);
    state = appended.state;
  }
  return { state, read: tiles.read };
}

export interface TestRow {
  readonly index: number;
  readonly record: AuditRecord;
  readonly salt: Uint8Array;
}

export function testRow(index: number, salt = index): TestRow {
  const record = {
    action: index % 3 === 0 ? 'USER_LOGIN' : 'PAYMENT_CREATED',
    actorId: `user-${index % 97}`,
    details: { amount: index, currency: 'EUR', note: 'Grüße — 💶', tags: ['a', 'b'], scheduled: null, ok: true },
    id: `event-${index}`,
    occurTime: '2026-01-01T00:00:00.000000Z',
  };
  const saltBytes = Buffer.alloc(32);
  saltBytes.writeUInt32BE(salt);
  return { index, record, salt: saltBytes };
}

export interface TestLog {
  readonly rows: TestRow[];
  readonly readTile: ReadTile;
  /** Signed and cosigned, one for each size asked for. */
  readonly checkpoints: string[];
}

/** A log as the admin service keeps it: rows, tiles, and checkpoints at the given sizes (the last one the whole log). */
export async function createTestLog(
  sizes: readonly number[],
  options: { signers?: (typeof logSigner)[]; minimumIndex?: number; row?: (index: number) => TestRow } = {},
): Promise<TestLog> {
  const { signers = [logSigner, witnessSigner], minimumIndex = 0, row = testRow } = options;
  const rows = Array.from({ length: sizes.at(-1) ?? 0 }, (_, index) => row(index));
  const tiles = createTiles();
  const checkpoints: string[] = [];
  let state = emptyTreeState();
  for (const size of sizes) {
    const leaves = rows.slice(state.size, size).map(({ record, salt }) => recordToLeafHash(record, salt));
    const appended = appendLeaves(state, leaves);
    tiles.store(appended.tiles);
    state = appended.state;
    const extensions = size === sizes.at(-1) ? minimumIndexToExtensions(minimumIndex) : [];
    checkpoints.push(await signCheckpoint({ origin: ORIGIN, size, root: rootFromState(state), extensions }, signers));
  }
  return { rows, readTile: tiles.read, checkpoints };
}

type ExportOptions = Parameters<typeof exportLog>[0];

export async function exportToBuffer(log: TestLog, changes: Partial<ExportOptions> = {}): Promise<Buffer> {
  const options = { origin: ORIGIN, logKeys: [logKey], witnessKeys: [witnessKey], ...log, ...changes };
  const chunks: Buffer[] = [];
  for await (const chunk of exportLog(options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function* inChunks(bytes: Uint8Array, chunkBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export const pins = { logKeys: [logKey], witnessKeys: [witnessKey] };

export function verifyFile(file: Uint8Array, options: Partial<VerifyOptions> = {}): Promise<VerifyResult> {
  return verifyExport({ chunks: inChunks(file), nowSeconds: NOW_SECONDS + 60, ...pins, ...options });
}

/** What a failure says, for comparing. */
export function place(result: VerifyResult): unknown {
  if (result.ok) return 'ok';
  const { code, firstBadIndex, missing } = result;
  return { code, firstBadIndex, ...(missing ? { missing: [missing.from, missing.to - 1] } : {}) };
}

export function edited(log: TestLog, index: number): TestLog {
  const rows = [...log.rows];
  const row = testRow(index);
  rows[index] = { ...row, record: { ...row.record, actorId: 'user-X' } };
  return { ...log, rows };
}
