import { loadConfig } from '@strongroom/platform/config';
import { keyringFromConfig } from '@strongroom/platform/crypto';
import { createLogger } from '@strongroom/platform/telemetry';
import { replayParkedEvents } from './audit/replay-parked-events.ts';
import { openAuditDatabase } from './audit-database.ts';
import { adminVariables } from './config.ts';
import { openPersonKeystore } from './erasure/person-keystore.ts';

/** `node services/admin/src/replay-parked.ts`: takes parked messages into the log that are events by now (F29). */
async function main(): Promise<void> {
  const config = await loadConfig(adminVariables, process.env);
  const logger = createLogger({ name: 'admin', level: config.LOG_LEVEL });
  const auditDatabase = await openAuditDatabase({ url: config.AUDIT_DATABASE_URL, config, logger });
  try {
    const keyring = keyringFromConfig(config);
    const keystore = await openPersonKeystore(config.AUDIT_KEYSTORE_DIR, keyring);
    const { replayed, left } = await replayParkedEvents({ auditDatabase, keyring, keystore });
    process.stdout.write(`${replayed} replayed, ${left} still parked\n`);
  } finally {
    await auditDatabase.close();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`nothing more could be replayed: ${error.message}\n`);
  process.exitCode = 1;
});
