import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { type AuditEvent, AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { createKeyring, uuidv7 } from '@strongroom/platform/crypto';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import { createTestDatabase, openSql } from '@strongroom/testkit';
import {
  createCosigner,
  createWitnessClient,
  createWitnessServer,
  formatVerifierKey,
  openCheckpointStore,
  privateKeyFromSeed,
  type VerifierKey,
} from '@strongroom/tlog';
import { appendEvents } from '../src/audit/append-events.ts';
import { openAuditDatabase } from '../src/audit-database.ts';
import { openPersonKeystore } from '../src/erasure/person-keystore.ts';
import { createCheckpointer } from '../src/transparency/checkpointer.ts';
import { openLogKey } from '../src/transparency/log-key.ts';

export const databaseConfig = {
  DB_POOL_MAX_CONNECTIONS: 5,
  DB_POOL_WAIT_MS: 10_000,
  DB_CONNECTION_TIMEOUT: 10,
  DB_POOL_TIMEOUT: 60,
  DB_QUERY_TIMEOUT_MS: 30_000,
  DB_LOCK_TIMEOUT_MS: 20_000,
  DB_IDLE_TRANSACTION_TIMEOUT_MS: 30_000,
  DB_SLOW_QUERY_THRESHOLD_MS: 10_000,
  DB_ENABLE_QUERY_METRICS: false,
  DB_ENABLE_SLOW_QUERY_LOGGING: false,
};
export const origin = 'strongroom.test/audit';

/** The log alone: its database, its keys and, if asked for, a witness. No bus and no server. */
export async function createLogFixture(options: { witness?: boolean } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-log-'));
  const database = await createTestDatabase('audit');
  const logger = createLogger({ name: 'admin', level: 'silent' });
  const metrics = createMetrics({ name: 'admin', processMetrics: false });
  const auditDatabase = await openAuditDatabase({ url: database.runtimeUrl, config: databaseConfig, logger, metrics });
  const keyring = createKeyring([{ id: 'test-1', key: randomBytes(32) }]);
  const keystore = await openPersonKeystore(join(folder, 'keys'), keyring);
  const signer = await openLogKey(join(folder, 'log.key'), origin, keyring);
  const witness = options.witness ? await startWitness(join(folder, 'witness'), signer.key) : undefined;
  const checkpointer = createCheckpointer({
    auditDatabase,
    signer,
    witness: witness?.client,
    logger,
    metrics,
    intervalMs: 100,
    heartbeatMs: 60_000,
  });
  const superuser = openSql(database.superuserUrl);
  const deps = { auditDatabase, keystore, checkpointer };
  return {
    ...deps,
    database,
    folder,
    keyring,
    logger,
    metrics,
    signer,
    superuser,
    witness,
    append: (events: readonly AuditEvent[]) => appendEvents(deps, events),
    async close() {
      await checkpointer.stop();
      await auditDatabase.close();
      await superuser.end();
      await witness?.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type LogFixture = Awaited<ReturnType<typeof createLogFixture>>;

async function startWitness(folder: string, logKey: VerifierKey) {
  const signer = createCosigner('witness.test/w1', privateKeyFromSeed(randomBytes(32)), () =>
    Math.floor(Date.now() / 1_000),
  );
  const verifierKey = formatVerifierKey(signer.key);
  const store = await openCheckpointStore(folder);
  const server = createWitnessServer({
    signer,
    store,
    readLogKeys: async () => [logKey],
    onAnswer: () => undefined,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    verifierKey,
    client: createWitnessClient({ url, verifierKey }),
    latest: async (logOrigin: string) => (await store.latest(logOrigin))?.note,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function makeEvent(given: MessageInitShape<typeof AuditEventSchema> = {}): AuditEvent {
  return create(AuditEventSchema, {
    id: uuidv7(),
    action: 'PAYMENT_CREATED',
    resourceType: 'payment',
    resourceId: uuidv7(),
    actorId: uuidv7(),
    actorKind: 'user',
    ipAddress: '203.0.113.7',
    userAgent: 'curl/8',
    traceId: randomBytes(16).toString('hex'),
    requestId: uuidv7(),
    occurTime: timestampFromDate(new Date()),
    details: { currency: 'EUR' },
    source: 'payments',
    ...given,
  });
}
