import { join } from 'node:path';
import { repositoryRoot } from '../database/migrations.ts';

/**
 * How a Node process of ours starts soonest, because loading and stripping its modules is most of a start: with what an
 * earlier one compiled, and without the search that quick-imports spares. For the system's processes and those of tests.
 */
export const quickStart = {
  arguments: ['--import', import.meta.resolve('@strongroom/platform/process/quick-imports')],
  environment: { NODE_COMPILE_CACHE: join(repositoryRoot, '.data', 'compile-cache') },
} as const;
