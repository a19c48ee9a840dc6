import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, parseUnverifiedCheckpoint } from '../checkpoint.ts';
import { TlogError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { createDirectoryDurably, createFileDurably, TEMPORARY_SUFFIX } from './files.ts';

const CHECKPOINTS_DIRECTORY = 'checkpoints';
const SEQUENCE_DIGITS = 16;
const FILE_NAME = /^([0-9]{16})\.note$/;
/** A file read by name can have been superseded and removed by another process; then the next reading finds its heir. */
const READ_ATTEMPTS_MAX = 5;

/** The latest checkpoint this witness has cosigned for an origin. */
export interface StoredCheckpoint {
  /** 1 for the first, one more for each. */
  readonly sequence: number;
  readonly checkpoint: Checkpoint;
  /** The signed note: the log's signatures and this witness's cosignature. */
  readonly note: string;
}

export interface CheckpointStore {
  latest(origin: string): Promise<StoredCheckpoint | undefined>;
  /**
   * Makes `note` the latest one, if the latest one's sequence still is `previous` (0: there is none). Gives false if
   * another process was faster. When it gives true, the note is on disk for good.
   */
  advance(origin: string, previous: number, note: string): Promise<boolean>;
}

/**
 * One file a checkpoint, `checkpoints/<hex SHA-256 of the origin>/<sequence>.note`, the highest sequence counts. Each is a
 * plain signed note: the offline verifier takes it as --checkpoint.
 */
export async function openCheckpointStore(directory: string): Promise<CheckpointStore> {
  const root = join(directory, CHECKPOINTS_DIRECTORY);
  await createCheckpointMemory(directory);
  await removeLeftovers(root);
  const folderOf = (origin: string) => join(root, originHash(origin));
  return {
    async latest(origin) {
      for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt += 1) {
        const sequence = (await listSequences(folderOf(origin))).at(-1);
        if (sequence === undefined) return undefined;
        const note = await readIfThere(join(folderOf(origin), fileName(sequence)));
        if (note !== undefined) return { sequence, note, checkpoint: parseStored(note, origin) };
      }
      throw new TlogError('STORE_UNSAFE', `the stored checkpoints of ${origin} change faster than they can be read`);
    },
    async advance(origin, previous, note) {
      const folder = folderOf(origin);
      await createDirectoryDurably(folder);
      if (!(await createFileDurably(join(folder, fileName(previous + 1)), note))) return false;
      const superseded = (await listSequences(folder)).filter((sequence) => sequence <= previous);
      await Promise.all(superseded.map((sequence) => rm(join(folder, fileName(sequence)), { force: true })));
      return true;
    },
  };
}

/** How an origin is written in file names and in the address of the monitoring endpoint. */
export function originHash(origin: string): string {
  return sha256(Buffer.from(origin, 'utf8')).toString('hex');
}

/** How many logs a witness has kept checkpoints of here; undefined if there is no such memory at all. */
export async function countWitnessedLogs(directory: string): Promise<number | undefined> {
  const folders = await readdir(join(directory, CHECKPOINTS_DIRECTORY)).catch(ignoreMissing(undefined));
  return folders?.length;
}

/** Makes an empty memory. */
export async function createCheckpointMemory(directory: string): Promise<void> {
  await createDirectoryDurably(join(directory, CHECKPOINTS_DIRECTORY));
}

/** A stored checkpoint that cannot be read stops the witness: going on from an older one would be a rollback. */
function parseStored(note: string, origin: string): Checkpoint {
  try {
    const checkpoint = parseUnverifiedCheckpoint(note);
    if (checkpoint.origin === origin) return checkpoint;
  } catch (cause) {
    throw new TlogError('STORE_UNSAFE', `the stored checkpoint of ${origin} is damaged`, { cause });
  }
  throw new TlogError('STORE_UNSAFE', `the stored checkpoint of ${origin} is of another log`);
}

async function removeLeftovers(root: string): Promise<void> {
  for (const folder of await listIfThere(root)) {
    const names = await listIfThere(join(root, folder));
    const leftovers = names.filter((name) => name.endsWith(TEMPORARY_SUFFIX));
    await Promise.all(leftovers.map((name) => rm(join(root, folder, name), { force: true })));
  }
}

async function listSequences(folder: string): Promise<number[]> {
  const matches = (await listIfThere(folder)).map((name) => FILE_NAME.exec(name)?.[1]);
  return matches
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

function fileName(sequence: number): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.note`;
}

async function listIfThere(folder: string): Promise<string[]> {
  return readdir(folder).catch(ignoreMissing([]));
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(ignoreMissing(undefined));
}

function ignoreMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
