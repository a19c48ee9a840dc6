import { fromBinary } from '@bufbuild/protobuf';
import { AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { createProviders, sealEncryptedValue, secret } from '@strongroom/platform/config';
import { loadServiceConfig, recordSecretAccesses } from '@strongroom/platform/service';
import t from 'tap';
import { createDatabaseFixture } from '../database/fixture.ts';

const value = 'canary-of-a-secret-7f3a9d-long-enough';
const masterKey = '8f'.repeat(32);

t.test('S3.3b: each secret that a service opens at its start is on record, without its value', async (t) => {
  const fixture = await createDatabaseFixture();
  t.teardown(() => fixture.close());
  const keys = { ENCRYPTION_MASTER_KEY: masterKey, ENCRYPTION_KEY_ID: 'k1' };
  const provider = createProviders(keys).get('local');
  if (provider === undefined) throw new Error('there is no local provider');
  const { config, accesses } = await loadServiceConfig(
    { PSP_WEBHOOK_SECRET: secret({ minBytes: 24, doc: 'A secret.' }) },
    {
      STRONGROOM_ENV: 'test',
      ...keys,
      PSP_WEBHOOK_SECRET: await sealEncryptedValue(provider, 'PSP_WEBHOOK_SECRET', value),
    },
  );
  t.equal(config.PSP_WEBHOOK_SECRET.reveal(), value);
  const { database, log } = fixture;
  const signal = new AbortController().signal;
  await recordSecretAccesses({ name: 'payments', database, logger: log.logger, signal }, accesses);
  const rows = await fixture.superuser`select payload from strongroom.outbox where name = 'SECRET_ACCESSED'`;
  t.equal(rows.length, 1);
  const payload = rows[0]?.['payload'] as Uint8Array;
  t.match(fromBinary(AuditEventSchema, payload), {
    resourceType: 'secret',
    resourceId: 'PSP_WEBHOOK_SECRET',
    actorKind: 'service',
    actorName: 'payments',
    details: { provider: 'local', keyId: 'k1', operation: 'open', outcome: 'ok' },
  });
  t.notMatch(Buffer.from(payload).toString('latin1'), value);
});

t.test('S3.3b: a database that is away is waited for, and an end of the process ends the waiting', async (t) => {
  const fixture = await createDatabaseFixture();
  const { database, log } = fixture;
  await fixture.close();
  const ending = new AbortController();
  const access = { provider: 'local', variable: 'X', keyId: 'k1', operation: 'open', outcome: 'ok' } as const;
  const done = recordSecretAccesses({ name: 'test', database, logger: log.logger, signal: ending.signal }, [access]);
  ending.abort();
  await t.resolves(done);
});
