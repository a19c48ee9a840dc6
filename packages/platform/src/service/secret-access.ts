import { setTimeout as delay } from 'node:timers/promises';
import { type ConfigOf, type ConfigSchema, type EncryptedValueAccess, loadConfig } from '../config/index.ts';
import { type Database, serviceAct } from '../database/index.ts';
import { appendEvent } from '../outbox/index.ts';
import type { Logger } from '../telemetry/index.ts';

const retryMs = 1_000;

/** A configuration, and each opening of an ENC[…] value that it took: for the audit, once there is a database (S3.3b). */
export interface LoadedConfig<S extends ConfigSchema> {
  readonly config: ConfigOf<S>;
  readonly accesses: readonly EncryptedValueAccess[];
}

/** `loadConfig` for a service. Throws ConfigError with every fault at once; a value that can't be opened is one. */
export async function loadServiceConfig<S extends ConfigSchema>(
  schema: S,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedConfig<S>> {
  const accesses: EncryptedValueAccess[] = [];
  const config = await loadConfig(schema, environment, { onAccess: (access) => accesses.push(access) });
  return { config, accesses };
}

export interface SecretAccessDeps {
  readonly name: string;
  readonly database: Pick<Database, 'transaction'>;
  readonly logger: Logger;
  /** Ends the waiting for a database that is away. */
  readonly signal: AbortSignal;
}

/** One SECRET_ACCESSED an opening: provider, key id, variable and outcome, never the value. Waits for the database. */
export async function recordSecretAccesses(
  { name, database, logger, signal }: SecretAccessDeps,
  accesses: readonly EncryptedValueAccess[],
): Promise<void> {
  if (accesses.length === 0) return;
  const act = serviceAct(name);
  while (!signal.aborted) {
    try {
      await database.transaction(act, async (tx) => {
        for (const { variable, provider, keyId, operation, outcome } of accesses) {
          await appendEvent(tx, act, {
            action: 'SECRET_ACCESSED',
            resourceType: 'secret',
            resourceId: variable,
            details: { provider, keyId, operation, outcome },
          });
        }
      });
      return;
    } catch (error) {
      logger.warn({ err: error, accesses: accesses.length }, 'opened secrets are not on record yet');
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
