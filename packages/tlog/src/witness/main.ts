import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createCosigner } from '../cosignature.ts';
import { formatVerifierKey } from '../note.ts';
import { createLogKeyReader, loadWitnessConfig } from './config.ts';
import { openWitnessKey } from './key.ts';
import { createWitnessServer } from './server.ts';
import { openCheckpointStore } from './store.ts';

const MS_PER_SECOND = 1_000;
// pino's levels, so that one reader takes the logs of every process.
const LEVEL_INFO = 30;
const LEVEL_ERROR = 50;

function log(level: number, msg: string, fields: object = {}): void {
  process.stdout.write(`${JSON.stringify({ level, time: Date.now(), name: 'witness', ...fields, msg })}\n`);
}

/** The witness process: config → key and store → server → close on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = loadWitnessConfig(process.env);
  const privateKey = await openWitnessKey(config.directory);
  const signer = createCosigner(config.name, privateKey, () => Math.floor(Date.now() / MS_PER_SECOND));
  const verifierKey = formatVerifierKey(signer.key);
  await writeFile(join(config.directory, 'verifier-key.txt'), `${verifierKey}\n`);
  const server = createWitnessServer({
    signer,
    store: await openCheckpointStore(config.directory),
    readLogKeys: createLogKeyReader(config),
    onAnswer: ({ error, ...answer }) => {
      const cause = error instanceof Error ? { err: { message: error.message, stack: error.stack } } : {};
      log(error === undefined ? LEVEL_INFO : LEVEL_ERROR, 'answered', { ...answer, ...cause });
    },
  });
  server.listen(config.port, config.host, () => {
    const { port } = server.address() as AddressInfo;
    log(LEVEL_INFO, 'witness listening', { url: `http://${config.host}:${port}`, verifierKey });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log(LEVEL_INFO, 'witness closing', { signal });
      server.close();
      server.closeIdleConnections();
    });
  }
}

main().catch((error: unknown) => {
  log(LEVEL_ERROR, `witness cannot start: ${(error as Error).message}`);
  process.exitCode = 1;
});
