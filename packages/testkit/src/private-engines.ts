import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findUnpacked } from '../../../scripts/engines/debian-packages.ts';
import { natsAdministrator, natsUrl, startNats } from '../../../scripts/engines/nats.ts';
import { startPostgres, stopPostgres, superuserUrl } from '../../../scripts/engines/postgres.ts';
import { redisUrl, startRedis } from '../../../scripts/engines/redis.ts';
import {
  findOnPath,
  natsProgram,
  redisProgram,
  type ServerBinary,
  type ServerProgram,
} from '../../../scripts/engines/server-binary.ts';
import { engineSecrets } from '../../../scripts/engines/state.ts';
import { type EngineName, type ServiceName, serviceNames } from '../../../scripts/support/names.ts';
import { stopProcess } from '../../../scripts/support/process-table.ts';
import { testEngines } from './engines.ts';

const stopGraceMs = 10_000;

/** A server for one test alone, which may kill it. It comes back on the same port with the data that it had. */
export interface PrivateEngine {
  /** As the administrator or superuser. */
  readonly url: string;
  readonly port: number;
  readonly engine: EngineName;
  readonly dataDir: string;
  pid(): number;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  /** With the server stopped: loses everything that it had stored. */
  wipe(): void;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

export async function createPrivateEngine(engine: EngineName): Promise<PrivateEngine> {
  const dataDir = mkdtempSync(join(process.env['STRONGROOM_TEST_TMP'] ?? tmpdir(), `strongroom-${engine}-`));
  const logFile = join(dataDir, `${engine}.log`);
  const secrets = await engineSecrets(dataDir);
  const log = () => undefined;
  const launch = async (preferredPort?: number) => {
    const shared = { dataDir, logFile, preferredPort, log };
    if (engine === 'postgres') return startPostgres({ ...shared, password: secrets.postgres });
    if (engine === 'redis') {
      return startRedis({ ...shared, binary: programOf(redisProgram), passwords: secrets.redis });
    }
    return startNats({ ...shared, binary: programOf(natsProgram), passwords: secrets.nats, forTests: false });
  };
  // mkdtemp makes folders of mode 0700, which PostgreSQL's own account could not enter.
  chmodSync(dataDir, 0o711);
  let running = await launch();
  const { port } = running;
  const url = {
    postgres: () => superuserUrl(port, secrets.postgres),
    redis: () => redisUrl(port, 'default', secrets.redis.administrator),
    nats: () => natsUrl(port, natsAdministrator, secrets.nats.administrator),
  }[engine]();
  const stop = async () => {
    if (engine === 'postgres') await stopPostgres(running.pid);
    else await stopProcess(running.pid, { graceMs: stopGraceMs });
  };
  return {
    url,
    port,
    engine,
    dataDir,
    pid: () => running.pid,
    async kill() {
      await stopProcess(running.pid, { signal: 'SIGKILL', graceMs: stopGraceMs });
    },
    stop,
    async start() {
      running = await launch(port);
      if (running.port !== port) throw new Error(`Port ${port} of the private ${engine} was taken meanwhile.`);
    },
    pause: () => void process.kill(running.pid, 'SIGSTOP'),
    resume: () => void process.kill(running.pid, 'SIGCONT'),
    wipe: () => rmSync(join(dataDir, engine), { recursive: true, force: true }),
    async close() {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The URLs with which the services connect, with the rights that they have. */
export async function serviceUrls({ engine, dataDir, port }: PrivateEngine): Promise<Record<ServiceName, string>> {
  if (engine === 'postgres') throw new Error("PostgreSQL's roles belong to databases: see createTestDatabase.");
  const { services } = (await engineSecrets(dataDir))[engine];
  const make = engine === 'redis' ? redisUrl : natsUrl;
  const urls = serviceNames.map((name) => [name, make(port, name, services[name])]);
  return Object.fromEntries(urls) as Record<ServiceName, string>;
}

function programOf(program: ServerProgram): ServerBinary {
  const { packagesDir } = testEngines();
  const found = findOnPath(program) ?? findUnpacked(packagesDir, program);
  if (!found) throw new Error(`${program.program} is not on the PATH and was not unpacked either.`);
  return found;
}
