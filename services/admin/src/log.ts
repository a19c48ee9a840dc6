import { readFile } from 'node:fs/promises';
import type { Keyring } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { createWitnessClient, type WitnessClient } from '@strongroom/tlog';
import type { AdminConfig } from './config.ts';
import { openPersonKeystore, type PersonKeystore } from './erasure/person-keystore.ts';
import { type Checkpointer, createCheckpointer } from './transparency/checkpointer.ts';
import { openLogKey } from './transparency/log-key.ts';

const msPerS = 1_000;

export interface LogResources {
  readonly keystore: PersonKeystore;
  readonly checkpointer: Checkpointer;
}

/** Opens what the log has outside of its database: keys of persons, its own key, its witness. */
export async function openLog(
  config: AdminConfig,
  deps: { auditDatabase: Database; keyring: Keyring; logger: Logger; metrics: Metrics },
): Promise<LogResources> {
  const keystore = await openPersonKeystore(config.AUDIT_KEYSTORE_DIR, deps.keyring);
  const signer = await openLogKey(config.LOG_KEY_FILE, config.LOG_ORIGIN, deps.keyring);
  const checkpointer = createCheckpointer({
    ...deps,
    signer,
    witness:
      config.WITNESS_URL === undefined ? undefined : createLateWitness(config.WITNESS_URL, config.WITNESS_KEY_FILE),
    intervalMs: config.CHECKPOINT_INTERVAL_MS,
    heartbeatMs: config.CHECKPOINT_HEARTBEAT_S * msPerS,
  });
  return { keystore, checkpointer };
}

/** The witness makes its key at its own first start, perhaps after ours: the file is read once there is something to sign. */
function createLateWitness(url: string, keyFile: string): WitnessClient {
  let client: WitnessClient | undefined;
  const open = async (): Promise<WitnessClient> => {
    client ??= createWitnessClient({ url, verifierKey: (await readFile(keyFile, 'utf8')).trim() });
    return client;
  };
  return {
    cosign: async (request) => (await open()).cosign(request),
    verifierKey: async () => {
      const opened = await open().catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      return opened?.verifierKey();
    },
  };
}
