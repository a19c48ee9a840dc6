import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TlogError } from '../errors.ts';
import { createDirectoryDurably, createFileDurably } from './files.ts';
import { countWitnessedLogs, createCheckpointMemory } from './store.ts';

const KEY_FILE = 'witness-key.pem';
const OTHERS_PERMISSIONS = 0o077;

/**
 * The witness's Ed25519 private key, from `witness-key.pem` (PKCS #8, mode 0600), made on first start. Throws
 * STORE_UNSAFE if others may read it, or if only one of key and checkpoints is there: they belong together. A witness that
 * forgot what it has seen would cosign a second history with its old key.
 */
export async function openWitnessKey(directory: string): Promise<KeyObject> {
  await createDirectoryDurably(directory);
  const path = join(directory, KEY_FILE);
  const mode = await fileMode(path);
  if (mode === undefined) {
    if (((await countWitnessedLogs(directory)) ?? 0) > 0) {
      throw new TlogError('STORE_UNSAFE', `${directory} holds checkpoints but no ${KEY_FILE}: restore the key`);
    }
    // The memory is made before the key, so that a key without a memory always means that it was lost.
    await createCheckpointMemory(directory);
    const { privateKey } = generateKeyPairSync('ed25519');
    await createFileDurably(path, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  } else if ((mode & OTHERS_PERMISSIONS) !== 0) {
    throw new TlogError('STORE_UNSAFE', `${path} can be read by others: chmod 600 it, or better replace it`);
  }
  if ((await countWitnessedLogs(directory)) === undefined) {
    throw new TlogError(
      'STORE_UNSAFE',
      `${directory} holds a key but no checkpoints: restore them, or make a new witness`,
    );
  }
  return createPrivateKey(await readFile(path));
}

async function fileMode(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
