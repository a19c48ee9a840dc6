import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Keyring, readSealed } from '@strongroom/platform/crypto';
import { createNoteSigner, formatVerifierKey, type NoteSigner, privateKeyFromSeed } from '@strongroom/tlog';

const seedBytes = 32;
const sealPurpose = 'signing-key';
const fileMode = 0o600;
const publicFileMode = 0o644;

/**
 * The log's Ed25519 key: a sealed seed in a file of its own, never in a database, made at the first start. Its public half
 * is written beside it as `<file>.pub`, for the witness and for verifiers.
 */
export async function openLogKey(
  file: string,
  origin: string,
  keyring: Pick<Keyring, 'seal' | 'open' | 'activeKeyId'>,
): Promise<NoteSigner> {
  await mkdir(dirname(file), { recursive: true });
  const sealed = (await readIfThere(file)) ?? (await makeSeed(file, origin, keyring));
  const bytes = Buffer.from(sealed.trim(), 'base64');
  const seed = keyring.open(sealPurpose, bytes, origin);
  // After a rotation of the master key the older one can go (F32).
  if (readSealed(bytes).keyId !== keyring.activeKeyId) await replaceSeed(file, seed, origin, keyring);
  const signer = createNoteSigner(origin, privateKeyFromSeed(seed));
  await writeOnce(`${file}.pub`, `${formatVerifierKey(signer.key)}\n`, publicFileMode);
  return signer;
}

async function makeSeed(file: string, origin: string, keyring: Pick<Keyring, 'seal'>): Promise<string> {
  const sealed = keyring.seal(sealPurpose, randomBytes(seedBytes), origin);
  await writeOnce(file, `${Buffer.from(sealed).toString('base64')}\n`, fileMode);
  return readFile(file, 'utf8');
}

async function replaceSeed(
  file: string,
  seed: Uint8Array,
  origin: string,
  keyring: Pick<Keyring, 'seal'>,
): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  const sealed = keyring.seal(sealPurpose, seed, origin).toString('base64');
  await writeOnce(aside, `${sealed}\n`, fileMode);
  await rename(aside, file);
}

/** Whole or not at all, and never over one that is there: another process may have been first. */
async function writeOnce(file: string, content: string, mode: number): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(aside, 'wx', mode);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(aside);
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
