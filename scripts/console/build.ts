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

/** Several builds may end at once: each moves the bundle before it away whole, until its own could be put there. */
async function putInPlace(): Promise<void> {
  for (;;) {
    await rename(consoleDist, replaced).catch(ignoring('ENOENT'));
    await rm(replaced, { recursive: true, force: true });
    const isTaken = await rename(unfinished, consoleDist).then(() => false, ignoring('ENOTEMPTY', 'EEXIST'));
    if (isTaken === false) return;
  }
}

function ignoring(...codes: readonly string[]) {
  return (error: NodeJS.ErrnoException) => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}

const hash = await hashSources();
const unfinished = `${consoleDist}.${process.pid}`;
const replaced = `${unfinished}.replaced`;
try {
  await build({ ...bundleOptions, build: { ...bundleOptions.build, outDir: unfinished } });
  await compressFiles(join(unfinished, 'assets'));
  await writeFile(join(unfinished, hashFile), `${hash}\n`);
  await putInPlace();
} finally {
  await rm(unfinished, { recursive: true, force: true });
}
