import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Keyring, readSealed } from '@strongroom/platform/crypto';
import { depthBits, deriveKey, leafOf, puncture, secretBytes, type TreeNode } from './punctured-tree.ts';

/** The tree's top levels, one file each: what an erasure rewrites stays small. */
const shardBits = 6;
const shardCount = 2 ** shardBits;
const fileMode = 0o600;
const folderMode = 0o700;
const derivedKeysMax = 10_000;
const sealPurpose = 'audit-subject';
const formatName = 'strongroom-person-keys/v1';

/**
 * Keys of persons, in files outside PostgreSQL, so that no backup of a database holds them (B-erase). The folder belongs on
 * storage that keeps no history: whoever restores an older copy of the folder itself brings erased keys back.
 */
export interface PersonKeystore {
  /** The person's key; undefined once erased. */
  keyOf(personId: string): Promise<Uint8Array | undefined>;
  /** Destroys the person's key for ever; false where it was already. The caller sees to it that one erases at a time. */
  erase(personId: string): Promise<boolean>;
  /** The files that aren't sealed under the active master key. */
  listStaleFiles(): Promise<string[]>;
  /** Seals a file under the active master key (F32). One at a time, as with erase. */
  reseal(name: string): Promise<void>;
}

interface Shard {
  readonly stamp: string;
  readonly nodes: readonly TreeNode[];
  readonly keys: Map<string, Uint8Array | undefined>;
}

/** The keyring's part: the files are sealed too, so that whoever copies the folder alone has nothing. */
export type KeystoreSeal = Pick<Keyring, 'seal' | 'open' | 'activeKeyId'>;

/** Opens the folder, or makes one where there is none. A folder that lacks a file is refused: its keys are lost. */
export async function openPersonKeystore(folder: string, seal: KeystoreSeal): Promise<PersonKeystore> {
  await makeFolder(folder, seal);
  const files = new Set(await readdir(folder));
  const missing = shardNames().filter((name) => !files.has(name));
  if (missing.length > 0) throw new Error(`The keystore ${folder} lacks ${missing.length} files: restore it.`);
  const shards = new Map<string, Shard>();
  // Another process may have erased someone since: the file's stamp tells, at the cost of one stat a person.
  const load = async (name: string): Promise<Shard> => {
    const stamp = await stampOf(join(folder, name));
    const known = shards.get(name);
    if (known?.stamp === stamp) return known;
    const shard = { stamp, nodes: await readShard(folder, name, seal), keys: new Map() };
    shards.set(name, shard);
    return shard;
  };
  // A batch asks for many persons at once: they share one look at a file.
  const reading = new Map<string, Promise<Shard>>();
  const read = (name: string): Promise<Shard> => {
    const shared = reading.get(name) ?? load(name).finally(() => reading.delete(name));
    reading.set(name, shared);
    return shared;
  };
  return {
    async keyOf(personId) {
      const leaf = leafOf(personId);
      const shard = await read(shardNameOf(leaf));
      if (shard.keys.has(leaf)) return shard.keys.get(leaf);
      if (shard.keys.size >= derivedKeysMax / shardCount) shard.keys.clear();
      const key = deriveKey(shard.nodes, leaf);
      shard.keys.set(leaf, key);
      return key;
    },
    async erase(personId) {
      const leaf = leafOf(personId);
      const name = shardNameOf(leaf);
      const { nodes } = await read(name);
      if (!deriveKey(nodes, leaf)) return false;
      await writeShard(folder, name, seal, puncture(nodes, leaf));
      shards.delete(name);
      return true;
    },
    async listStaleFiles() {
      const stale: string[] = [];
      for (const name of shardNames()) {
        if (readSealed(await readFile(join(folder, name))).keyId !== seal.activeKeyId) stale.push(name);
      }
      return stale;
    },
    async reseal(name) {
      await writeShard(folder, name, seal, await readShard(folder, name, seal));
    },
  };
}

/** All files or none: made aside, then moved into place. Two processes at once end with the first one's. */
async function makeFolder(folder: string, seal: KeystoreSeal): Promise<void> {
  if (await exists(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const aside = `${folder}.${randomBytes(6).toString('hex')}`;
  await mkdir(aside, { mode: folderMode });
  for (const name of shardNames()) {
    const prefix = Number(name.slice('shard-'.length)).toString(2).padStart(shardBits, '0');
    await writeShard(aside, name, seal, [{ prefix, secret: randomBytes(secretBytes) }]);
  }
  await rename(aside, folder).catch(async (error: NodeJS.ErrnoException) => {
    await rm(aside, { recursive: true, force: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await syncFolder(dirname(folder));
}

/** The old file is overwritten before it goes: a rename alone leaves its blocks on the disk. */
async function writeShard(folder: string, name: string, seal: KeystoreSeal, nodes: readonly TreeNode[]): Promise<void> {
  const file = join(folder, name);
  const aside = `${file}.new`;
  await rm(aside, { force: true });
  const handle = await open(aside, 'wx', fileMode);
  try {
    await handle.writeFile(seal.seal(sealPurpose, formatShard(nodes), name));
    await handle.sync();
  } finally {
    await handle.close();
  }
  const old = (await exists(file)) ? await open(file, 'r+') : undefined;
  try {
    await rename(aside, file);
    await syncFolder(folder);
    if (old) {
      const { size } = await old.stat();
      await old.write(randomBytes(size), 0, size, 0);
      await old.sync();
    }
  } finally {
    await old?.close();
  }
}

async function readShard(folder: string, name: string, seal: KeystoreSeal): Promise<TreeNode[]> {
  return parseShard(seal.open(sealPurpose, await readFile(join(folder, name)), name).toString('utf8'));
}

function formatShard(nodes: readonly TreeNode[]): string {
  const lines = nodes.map(({ prefix, secret }) => `${prefix} ${Buffer.from(secret).toString('base64')}`);
  return `${[formatName, ...lines].join('\n')}\n`;
}

function parseShard(text: string): TreeNode[] {
  const [format, ...lines] = text.split('\n');
  if (format !== formatName || lines.pop() !== '') throw new Error('A file of the keystore is damaged.');
  return lines.map((line) => {
    const [prefix = '', base64 = ''] = line.split(' ');
    const secret = Buffer.from(base64, 'base64');
    if (!/^[01]+$/.test(prefix) || prefix.length > depthBits || secret.length !== secretBytes) {
      throw new Error('A file of the keystore is damaged.');
    }
    return { prefix, secret };
  });
}

function shardNames(): string[] {
  return Array.from({ length: shardCount }, (_, at) => `shard-${String(at).padStart(2, '0')}`);
}

function shardNameOf(leaf: string): string {
  return `shard-${String(Number.parseInt(leaf.slice(0, shardBits), 2)).padStart(2, '0')}`;
}

async function stampOf(file: string): Promise<string> {
  const { ino, mtimeNs, size } = await stat(file, { bigint: true });
  return `${ino}-${mtimeNs}-${size}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
