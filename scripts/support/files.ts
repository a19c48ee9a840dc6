import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

/** Owner only: everything that holds a credential. */
export const secretFileMode = 0o600;

export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Written beside and renamed, so that a reader (or a crash) never sees half a file. */
export async function writeJson(path: string, value: unknown, mode: number = secretFileMode): Promise<void> {
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(beside, `${JSON.stringify(value, null, 2)}\n`, { mode });
  await rename(beside, path);
}

/** Letters and digits only: safe in URLs, configuration files and SQL literals alike. 32 characters are 190 bits. */
export function randomPassword(length = 32): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  let password = '';
  while (password.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 = 4 × 62: larger bytes would favour the first letters.
      if (byte < 248 && password.length < length) password += alphabet[byte % alphabet.length];
    }
  }
  return password;
}
