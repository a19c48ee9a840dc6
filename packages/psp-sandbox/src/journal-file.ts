import { closeSync, existsSync, fdatasync, ftruncateSync, mkdirSync, openSync, readFileSync, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);
const fileMode = 0o600;

/** Lines of JSON, each on the disk before what it says is answered. */
export interface JournalFile {
  readonly records: readonly unknown[];
  /** Resolves when the record can no longer be lost. Records written together are synced together. */
  append(record: unknown): Promise<void>;
  close(): Promise<void>;
}

export function openJournalFile(path: string | undefined): JournalFile {
  if (path === undefined) {
    return { records: [], append: () => Promise.resolve(), close: () => Promise.resolve() };
  }
  mkdirSync(dirname(path), { recursive: true });
  const { records, validBytes } = readRecords(path);
  const file = openSync(path, 'a', fileMode);
  // kill -9 in the middle of a write leaves half a line, which nobody was told about.
  ftruncateSync(file, validBytes);
  let waiting: { line: string; done: () => void; failed: (error: Error) => void }[] = [];
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await writeAll(file, Buffer.from(batch.map(({ line }) => line).join('')));
        await syncAsync(file);
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error as Error);
      }
    }
    running = undefined;
  }

  return {
    records,
    append(record) {
      return new Promise((done, failed) => {
        waiting.push({ line: `${JSON.stringify(record)}\n`, done, failed });
        running ??= drain();
      });
    },
    async close() {
      await running;
      closeSync(file);
    },
  };
}

async function writeAll(file: number, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const { bytesWritten } = await writeAsync(file, rest);
    rest = rest.subarray(bytesWritten);
  }
}

function readRecords(path: string): { records: unknown[]; validBytes: number } {
  if (!existsSync(path)) return { records: [], validBytes: 0 };
  const content = readFileSync(path);
  const end = content.lastIndexOf(0x0a) + 1;
  const lines = content.subarray(0, end).toString('utf8').split('\n').filter(Boolean);
  return { records: lines.map((line) => JSON.parse(line) as unknown), validBytes: end };
}
