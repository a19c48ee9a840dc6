import { createHash, createHmac, createPublicKey, verify } from 'node:crypto';

/*
 * A second verifier of exports, written from the texts alone (RFC 9162, RFC 8785, C2SP signed-note, tlog-checkpoint,
 * tlog-cosignature, the format's description in the package's README) and sharing nothing with src/. It holds the whole
 * file in memory and says only whether it is right.
 */
export function isExportRight(file: Buffer, logKey: string, witnessKey: string): boolean {
  const lines = file.toString('utf8').split('\n');
  if (lines.pop() !== '' || lines.length < 2) return false;
  try {
    const values = lines.map((line) => JSON.parse(line));
    if (values.some((value, at) => jcs(value) !== lines[at])) return false;
    const [header, ...rest] = values;
    const end = rest.pop();
    if (![...header.logKeys, ...header.witnessKeys].every(isVerifierKey)) return false;
    if (header.format !== 'strongroom-audit-export/v1') return false;
    const names = 'checkpoints,format,logKeys,minimumIndex,origin,tiles,witnessKeys';
    if (Object.keys(header).join() !== names || typeof header.tiles !== 'boolean') return false;
    const checkpoints: string[] = header.checkpoints;
    const isSigned = checkpoints.every((note) => isSignedBy(note, logKey, 1) && isSignedBy(note, witnessKey, 4));
    const [origin, size, , ...extensions] = linesOf(checkpoints.at(-1) ?? '');
    const minimumIndex = Number(/^minimum-index (\d+)$/.exec(extensions[0] ?? '')?.[1] ?? 0);
    if (!isSigned || origin !== header.origin || minimumIndex !== header.minimumIndex) return false;
    const rows = rest.filter((line) => !('tile' in line));
    if (rows.length !== Number(size) || end.count !== rows.length || end.end !== true) return false;
    const isInOrder = rows.every((row, at) => row.index === at && (!row.pruned || at < minimumIndex));
    const leaves = rows.map(leafOf);
    const tiles = rest.filter((line) => 'tile' in line);
    const hashes = Buffer.concat(tiles.map((line) => Buffer.from(line.hashes, 'base64')));
    const areTilesRight = !header.tiles || (hashes.equals(Buffer.concat(leaves)) && tiles.every(isTileAt));
    const roots = new Map(checkpoints.map(linesOf).map(([, prefix, root]) => [Number(prefix), root]));
    return isInOrder && areTilesRight && isEachRootOf(leaves, roots);
  } catch {
    return false;
  }
}

type Row = { record: unknown; salt: string; pruned?: boolean; leafHash?: string };

function leafOf(row: Row): Buffer {
  if (row.pruned) return bytes32(row.leafHash);
  const message = `strongroom-audit-record/v1\n${jcs(row.record)}`;
  const entry = createHmac('sha256', bytes32(row.salt)).update(message, 'utf8').digest();
  return createHash('sha256').update(Buffer.of(0)).update(entry).digest();
}

function isTileAt(line: { tile: number; hashes: string }, at: number): boolean {
  const bytes = Buffer.from(line.hashes, 'base64');
  return line.tile === at && bytes.toString('base64') === line.hashes;
}

/** The lines of a checkpoint's text. */
function linesOf(note: string): string[] {
  return note.slice(0, note.lastIndexOf('\n\n')).split('\n');
}

/** HMAC fills short keys up with zeros, so a salt's length and spelling must be checked, not only its effect. */
function bytes32(base64: unknown): Buffer {
  const bytes = Buffer.from(String(base64), 'base64');
  if (bytes.length !== 32 || bytes.toString('base64') !== base64) throw new Error('not 32 bytes of base64');
  return bytes;
}

function node(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

/**
 * Whether the first leaves have these roots, by their number. Leaf by leaf: two whole trees of one height become one, and a
 * root is what the whole trees give from the right. The same tree as RFC 9162's recursion, built another way.
 */
function isEachRootOf(leaves: Buffer[], roots: Map<number, string | undefined>): boolean {
  const trees: { height: number; root: Buffer }[] = [];
  const rightRoot = () => trees.map(({ root }) => root).reduceRight((right, left) => node(left, right));
  for (const [at, leaf] of leaves.entries()) {
    let tree = { height: 0, root: leaf };
    while (trees.at(-1)?.height === tree.height) {
      tree = { height: tree.height + 1, root: node(trees.pop()?.root as Buffer, tree.root) };
    }
    trees.push(tree);
    const expected = roots.get(at + 1);
    if (expected !== undefined && rightRoot().toString('base64') !== expected) return false;
  }
  const empty = roots.get(0);
  return empty === undefined || createHash('sha256').digest('base64') === empty;
}

/** RFC 9162 section 2.1.4.2, step by step; sizes below 2^31. */
export function isExtension(
  [first, firstRoot]: [size: number, root: Buffer],
  [second, secondRoot]: [size: number, root: Buffer],
  proof: readonly Buffer[],
): boolean {
  if (first === second) return proof.length === 0 && firstRoot.equals(secondRoot);
  if (first === 0 || first > second || proof.length === 0) return false;
  const path = Number.isInteger(Math.log2(first)) ? [firstRoot, ...proof] : [...proof];
  let [fn, sn] = [first - 1, second - 1];
  const shift = () => {
    fn >>= 1;
    sn >>= 1;
  };
  while (fn & 1) shift();
  let [fr, sr] = [path[0] as Buffer, path[0] as Buffer];
  for (const next of path.slice(1)) {
    if (sn === 0) return false;
    if (fn & 1 || fn === sn) {
      fr = node(next, fr);
      sr = node(next, sr);
      while (!(fn & 1) && fn !== 0) shift();
    } else {
      sr = node(sr, next);
    }
    shift();
  }
  return sn === 0 && fr.equals(firstRoot) && sr.equals(secondRoot);
}

/** RFC 8785 for what JSON.parse gives, without the restrictions of the leaf format. */
function jcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${jcs((value as Record<string, unknown>)[name])}`).join(',')}}`;
}

/** The key id belongs to the key: SHA-256(name || 0x0A || type || key)[:4]. */
function isVerifierKey(key: string): boolean {
  const [, name, id, material = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key) ?? [];
  const typed = Buffer.from(material, 'base64');
  const hash = createHash('sha256').update(`${name}\n`).update(typed).digest('hex');
  return typed.toString('base64') === material && hash.slice(0, 8) === id;
}

function isSignedBy(note: string, verifierKey: string, type: number): boolean {
  const [, name, id, material = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(verifierKey) ?? [];
  const typed = Buffer.from(material, 'base64');
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
  const line = note.split('\n').find((one) => {
    const blob = Buffer.from(one.split(' ')[2] ?? '', 'base64');
    return one.startsWith(`— ${name} `) && blob.subarray(0, 4).toString('hex') === id;
  });
  if (!line || typed[0] !== type) return false;
  const base64 = line.split(' ')[2] ?? '';
  const signature = Buffer.from(base64, 'base64').subarray(4);
  if (Buffer.from(base64, 'base64').toString('base64') !== base64) return false;
  const x = typed.subarray(1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  if (type === 1) return verify(null, Buffer.from(text), key, signature);
  const message = `cosignature/v1\ntime ${signature.readBigUInt64BE()}\n${text}`;
  return verify(null, Buffer.from(message), key, signature.subarray(8));
}
