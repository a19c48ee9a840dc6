import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RolePasswords } from '../database/provision.ts';
import { randomPassword, readJson, writeJson } from '../support/files.ts';
import { type DatabaseName, databaseNames } from '../support/names.ts';

const keyBytes = 32;
const webhookSecretBytes = 32;
const storingServices = ['auth', 'payments', 'profile', 'admin'] as const;

/** What the development system keeps secret, made at the first start. Each process gets only its own. */
export interface SystemSecrets {
  readonly masterKeys: Readonly<Record<(typeof storingServices)[number], string>>;
  readonly noticeKey: string;
  readonly pspApiKey: string;
  readonly pspWebhookSecret: string;
  readonly roles: Readonly<Record<DatabaseName, RolePasswords>>;
}

export async function systemSecrets(dataDir: string): Promise<SystemSecrets> {
  const path = join(dataDir, 'secrets.json');
  const known = await readJson<SystemSecrets>(path);
  if (known !== undefined) return known;
  const made: SystemSecrets = {
    masterKeys: fromNames(storingServices, () => randomBytes(keyBytes).toString('hex')),
    noticeKey: randomBytes(keyBytes).toString('hex'),
    pspApiKey: randomPassword(),
    pspWebhookSecret: `whsec_${randomBytes(webhookSecretBytes).toString('base64')}`,
    roles: fromNames(databaseNames, () => ({ owner: randomPassword(), runtime: randomPassword() })),
  };
  await mkdir(dataDir, { recursive: true });
  await writeJson(path, made);
  return made;
}

function fromNames<Name extends string, T>(names: readonly Name[], make: () => T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, make()])) as Record<Name, T>;
}
