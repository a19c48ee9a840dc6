import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessagePort } from './message-port.ts';

/** The development mailbox: one JSON file for each message, whole or not there. */
export async function createMailboxPort(folder: string): Promise<MessagePort> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    name: 'mailbox',
    async send({ id, to, subject, text }) {
      const createTime = new Date().toISOString();
      const name = `${createTime.replaceAll(':', '-')}-${id}.json`;
      const unfinished = join(folder, `.${name}`);
      await writeFile(unfinished, `${JSON.stringify({ to, subject, text, createTime }, null, 2)}\n`, { mode: 0o600 });
      await rename(unfinished, join(folder, name));
    },
    close: async () => undefined,
  };
}
