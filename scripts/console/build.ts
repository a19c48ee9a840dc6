// `npm run build -w console`: bundles the console into console/dist, whole or not at all.
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { build } from 'vite';
import { bundleOptions } from './bundle-options.ts';
import { consoleDist, hashFile, hashSources } from './sources.ts';

/** Below this a response is one packet either way. */
const compressedBytesMin = 1_024;

/** Beside each file its compressed forms, so that the gateway compresses nothing while people wait. */
async function compressFiles(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(js|css)$/.test(name));
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const content = await readFile(path);
      if (content.length < compressedBytesMin) return;
      await writeFile(`${path}.br`, await promisify(brotliCompress)(content));
      await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
    }),
  );
}

const hash = await hashSources();
const unfinished = `${consoleDist}.${process.pid}`;
try {
  await build({ ...bundleOptions, build: { ...bundleOptions.build, outDir: unfinished } });
  await compressFiles(join(unfinished, 'assets'));
  await writeFile(join(unfinished, hashFile), `${hash}\n`);
  await rm(consoleDist, { recursive: true, force: true });
  await rename(unfinished, consoleDist);
} finally {
  await rm(unfinished, { recursive: true, force: true });
}
