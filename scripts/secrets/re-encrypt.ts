// `npm run secrets -- rotate --service NAME`: the encrypted columns of a service's database under the key in use (S4.3).
import { encryptionVariables, loadConfig } from '@strongroom/platform/config';
import { keyringFromConfig, reencryptColumn, type SealedColumn, sealedColumns } from '@strongroom/platform/crypto';
import { Presets, SingleBar } from 'cli-progress';
import postgres from 'postgres';
import type { EngineUrls } from '../engines/index.ts';
import { readJson } from '../support/files.ts';

const enginesFile = '.data/engines.json';

/** Which database each service seals in. admin's own holds nothing sealed; its part of the audit database does. */
const databases = { auth: 'auth', payments: 'payments', profile: 'profile', admin: 'audit' } as const;
export type SealingService = keyof typeof databases;
export const sealingServices = Object.keys(databases) as SealingService[];

export function isSealingService(name: string): name is SealingService {
  return Object.hasOwn(databases, name);
}

/** Throws if anything is left under an older key, which then must stay in ENCRYPTION_PREVIOUS_KEYS. */
export async function reencryptService(service: SealingService): Promise<void> {
  const keyring = keyringFromConfig(await loadConfig(encryptionVariables, process.env));
  const sql = postgres(await databaseUrl(service), { max: 2, onnotice: () => undefined });
  let left = 0;
  try {
    for (const column of sealedColumns[databases[service]] as readonly SealedColumn[]) {
      const name = `${column.table}.${column.column}`;
      const bar = new SingleBar(
        { format: '{bar} {value}/{total} {name}', clearOnComplete: true },
        Presets.shades_classic,
      );
      bar.start(0, 0, { name });
      const onProgress = (done: number, total: number) => {
        bar.setTotal(total);
        bar.update(done);
      };
      const result = await reencryptColumn({ sql, keyring, column, onProgress });
      bar.stop();
      left += result.left + result.damaged;
      const faults = `${result.damaged === 0 ? '' : `, ${result.damaged} open with no key`}${result.left === 0 ? '' : `, ${result.left} left`}`;
      process.stdout.write(`${name}: ${result.sealedAgain} sealed again under ${keyring.activeKeyId}${faults}\n`);
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
  if (left > 0) throw new Error(`${left} values are not under ${keyring.activeKeyId}: keep the older keys.`);
}

async function databaseUrl(service: SealingService): Promise<string> {
  const given = process.env[service === 'admin' ? 'AUDIT_DATABASE_URL' : 'DATABASE_URL'];
  if (given) return given;
  const engines = await readJson<EngineUrls>(enginesFile);
  if (engines === undefined) throw new Error('DATABASE_URL is not set, and npm start has left no engines.');
  return engines.postgres.databases[databases[service]];
}
