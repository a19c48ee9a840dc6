import { randomBytes } from 'node:crypto';
import { loadConfig } from '@strongroom/platform/config';
import t from 'tap';
import { configFaults, paymentsVariables } from '../src/config.ts';

const production = {
  DATABASE_URL: 'postgres://payments_app:x7Kq0vTz@db/payments?sslmode=verify-full',
  REDIS_URL: 'rediss://redis:6379',
  NATS_URL: 'tls://nats:4222',
  ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
  PSP_WEBHOOK_SECRET: randomBytes(24).toString('base64url'),
  PSP_PROVIDER: 'stripe',
  PSP_API_KEY: randomBytes(24).toString('base64url'),
};

async function faultsOf(variables: Readonly<Record<string, string>>): Promise<string[]> {
  const config = await loadConfig(paymentsVariables, { ...production, ...variables });
  return configFaults(config).map(({ variable }) => variable);
}

t.test(
  'ASVS V15.2.3: in production neither the sandbox nor insecure targets nor a provider in clear is taken',
  async (t) => {
    t.same(await faultsOf({}), []);
    t.same(await faultsOf({ PSP_PROVIDER: 'sandbox' }), ['PSP_PROVIDER']);
    t.same(await faultsOf({ WEBHOOK_ALLOW_INSECURE_TARGETS: 'true' }), ['WEBHOOK_ALLOW_INSECURE_TARGETS']);
    t.same(await faultsOf({ PSP_URL: 'http://psp.example' }), ['PSP_URL']);
    t.same(await faultsOf({ PSP_URL: 'https://psp.example' }), []);
    t.same(await faultsOf({ PSP_PROVIDER: 'sandbox', STRONGROOM_ENV: 'development' }), []);
  },
);
