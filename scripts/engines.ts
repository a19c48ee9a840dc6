// `npm run engines`: PostgreSQL, Redis and NATS alone, for working on one service.
import { resolve } from 'node:path';
import { startEngines, stopEngines } from './engines/index.ts';
import { readOptions } from './support/options.ts';

const help = `Usage: npm run engines -- [options]

Starts PostgreSQL, Redis and NATS on free ports of 127.0.0.1 and stays until Ctrl-C.
Their URLs are written to engines.json in the data directory.

  --data DIR   data directory (default .data)
  --detach     leave them running and return
  --stop       stop those of the data directory
  --tests      with accounts and databases for tests to lease (STRONGROOM_TEST_ENGINES=DIR/engines.json)
  --shared     let every account of this machine read engines.json
  --help       this text

POSTGRES_URL, REDIS_URL and NATS_URL name engines to use instead of private ones.
`;

async function main(): Promise<void> {
  const values = readOptions(help, {
    data: { type: 'string', default: '.data' },
    detach: { type: 'boolean', default: false },
    stop: { type: 'boolean', default: false },
    tests: { type: 'boolean', default: false },
    shared: { type: 'boolean', default: false },
  });
  const dataDir = resolve(values.data);
  if (values.stop) {
    await stopEngines(dataDir);
    console.log(`Stopped the engines of ${dataDir}.`);
    return;
  }
  const engines = await startEngines({
    dataDir,
    forTests: values.tests,
    log: (line) => console.log(`  ${line}`),
    ...(values.shared ? { fileMode: 0o644 } : {}),
  });
  console.log(`Engines are up; their URLs are in ${engines.file}`);
  if (values.detach) {
    console.log(`Stop them with: npm run engines -- --stop --data ${dataDir}`);
    return;
  }
  await new Promise<void>((done) => {
    const keepAlive = setInterval(() => undefined, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        clearInterval(keepAlive);
        done();
      });
    }
  });
  console.log('Stopping the engines…');
  await engines.stop();
}

main().catch((error: Error) => {
  console.error(`engines: ${error.message}`);
  process.exit(1);
});
