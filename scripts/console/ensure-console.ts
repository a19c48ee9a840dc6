import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { consoleDist, hashFile, hashSources } from './sources.ts';

const run = promisify(execFile);

/**
 * Builds the console where its sources have changed since the last time; else it takes some milliseconds. A console that
 * can't be built keeps nobody from the API: it is told, and the gateway does without.
 */
export async function ensureConsole(log: (line: string) => void): Promise<void> {
  const built = await readFile(join(consoleDist, hashFile), 'utf8').catch(() => '');
  if (built.trim() === (await hashSources())) return;
  const startMs = performance.now();
  try {
    await run(process.execPath, [join(import.meta.dirname, 'build.ts')]);
    log(`console built (${Math.round(performance.now() - startMs)} ms)`);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    log(`the console could not be built, so /console/ is not served anew: ${(stderr || message).trim()}`);
  }
}
