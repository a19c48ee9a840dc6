import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { randomPassword, readJson, writeJson } from '../support/files.ts';
import { type EngineName, type ServiceName, serviceNames } from '../support/names.ts';
import type { NatsPasswords } from './nats.ts';
import type { RedisPasswords } from './redis.ts';

/** Passwords of the private engines, made at the first start and kept beside the data that they open. */
export interface EngineSecrets {
  readonly postgres: string;
  readonly redis: RedisPasswords;
  readonly nats: NatsPasswords;
}

export interface EngineState {
  readonly origin: 'url' | 'private' | 'docker';
  readonly port?: number;
  readonly container?: string;
}

export type EngineStates = Partial<Record<EngineName, EngineState>>;

export async function engineSecrets(dataDir: string): Promise<EngineSecrets> {
  const path = join(enginesFolder(dataDir), 'engines-secrets.json');
  const known = await readJson<EngineSecrets>(path);
  if (known) return known;
  const made: EngineSecrets = {
    postgres: randomPassword(),
    redis: { administrator: randomPassword(), services: onePerService() },
    nats: { administrator: randomPassword(), services: onePerService() },
  };
  await writeJson(path, made);
  return made;
}

export async function readStates(dataDir: string): Promise<EngineStates> {
  return (await readJson<EngineStates>(join(enginesFolder(dataDir), 'state.json'))) ?? {};
}

export async function writeStates(dataDir: string, states: EngineStates): Promise<void> {
  await writeJson(join(enginesFolder(dataDir), 'state.json'), states);
}

/** Open to be entered (PostgreSQL's own account must reach its data below), closed to be listed. */
export function enginesFolder(dataDir: string): string {
  const folder = join(dataDir, 'engines');
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  return folder;
}

function onePerService(): Record<ServiceName, string> {
  return Object.fromEntries(serviceNames.map((name) => [name, randomPassword()])) as Record<ServiceName, string>;
}
