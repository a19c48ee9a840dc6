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

t.test(
  'ASVS V7.5.3: a bound of no currency, of no whole minor units or given twice is refused, and says so',
  async (t) => {
    const rulesOf = async (amounts: string) => {
      const config = await loadConfig(paymentsVariables, { ...production, STEP_UP_AMOUNTS: amounts });
      return configFaults(config).map(({ variable, rule }) => `${variable} ${rule}`);
    };
    t.same(await rulesOf('JPY=1500000, KRW=15000000,KWD=0'), []);
    t.same(await rulesOf(''), []);
    t.same(
      await rulesOf('JPX=1,jpy=1,XAU=1,EUR=5,=5'),
      ['JPX=1', 'jpy=1', 'XAU=1', '=5'].map(
        (item) => `STEP_UP_AMOUNTS has ${item}, which begins with no currency that can be paid in`,
      ),
    );
    for (const amount of ['EUR', 'EUR=', 'EUR=-1', 'EUR=1.5', 'EUR=1e3', 'EUR=10k', 'EUR=1234567890123456']) {
      t.same(await rulesOf(amount), [
        `STEP_UP_AMOUNTS has ${amount}: an amount is whole minor units, like EUR=1500000`,
      ]);
    }
    t.same(await rulesOf('EUR=1,USD=1,EUR=2'), ['STEP_UP_AMOUNTS has EUR twice']);
  },
);
