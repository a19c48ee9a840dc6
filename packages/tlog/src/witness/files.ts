import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PRIVATE_FILE_MODE = 0o600;
const PRIVATE_DIRECTORY_MODE = 0o700;
export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Creates a file that is either not there or whole and on disk, and never replaces one. Gives false if it exists.
 *
 * link(2), not rename(2): rename silently replaces, so of two processes on one store the slower could roll back what the
 * faster has already cosigned. The file's bytes are on disk before its name is, and the name before this returns.
 */
export async function createFileDurably(path: string, content: string | Uint8Array): Promise<boolean> {
  const directory = dirname(path);
  const temporary = join(directory, `${randomBytes(8).toString('hex')}${TEMPORARY_SUFFIX}`);
  try {
    const file = await open(temporary, 'wx', PRIVATE_FILE_MODE);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    const isNew = await linkUnlessThere(temporary, path);
    await syncDirectory(directory);
    return isNew;
  } finally {
    await rm(temporary, { force: true });
  }
}

export async function createDirectoryDurably(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  if (first !== undefined) await syncDirectory(dirname(first));
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
