import { join } from 'node:path';
import { removeEngines, startEngines } from '../scripts/engines/index.ts';

const dataDir = join(import.meta.dirname, '..', '.data', 'bench');

/** Runs a bench on engines of its own, or on those that STRONGROOM_TEST_ENGINES names; durable as in production. */
export async function withEngines<T>(work: () => Promise<T>): Promise<T> {
  if (process.env['STRONGROOM_TEST_ENGINES']) return work();
  try {
    const { file } = await startEngines({ dataDir, forTests: true, log: () => undefined });
    process.env['STRONGROOM_TEST_ENGINES'] = file;
    return await work();
  } finally {
    delete process.env['STRONGROOM_TEST_ENGINES'];
    await removeEngines(dataDir);
  }
}
