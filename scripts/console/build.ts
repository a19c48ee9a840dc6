// `npm run build -w console`: bundles the console into console/dist, whole or not at all.
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import { bundleOptions } from './bundle-options.ts';
import { consoleDist, hashFile, hashSources } from './sources.ts';

const hash = await hashSources();
const unfinished = `${consoleDist}.${process.pid}`;
try {
  await build({ ...bundleOptions, build: { ...bundleOptions.build, outDir: unfinished } });
  await writeFile(join(unfinished, hashFile), `${hash}\n`);
  await rm(consoleDist, { recursive: true, force: true });
  await rename(unfinished, consoleDist);
} finally {
  await rm(unfinished, { recursive: true, force: true });
}
