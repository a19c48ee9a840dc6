import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import {
  boolean,
  ConfigError,
  type ConfigSchema,
  defineConfig,
  durationMs,
  file,
  integer,
  keyBytes,
  list,
  loadConfig,
  oneOf,
  platformVariables,
  port,
  printEnvExample,
  secret,
  text,
  url,
} from '@strongroom/platform/config';
import t from 'tap';

const strongSecret = randomBytes(32).toString('base64');

async function faultsOf(schema: ConfigSchema, environment: Record<string, string>): Promise<ConfigError> {
  const error = await loadConfig(schema, environment).catch((fault: unknown) => fault);
  if (!(error instanceof ConfigError)) throw new Error('The configuration was taken.');
  return error;
}

t.test('S3.2: every kind takes what it should and names variable and rule for the rest', async (t) => {
  const kinds = {
    PORT: { kind: port({ doc: '.' }), good: ['1', '65535'], bad: ['65536', '-1', '1.5', '0x10', 'http', ' 1'] },
    COUNT: { kind: integer({ doc: '.', min: 2, max: 9 }), good: ['2', '9'], bad: ['1', '10', '1e1', '', 'NaN'] },
    WAIT: { kind: durationMs({ doc: '.', max: 100 }), good: ['0', '100'], bad: ['101', '1s', '-5'] },
    FLAG: { kind: boolean({ doc: '.' }), good: ['true', 'false'], bad: ['yes', '1', 'TRUE'] },
    MODE: { kind: oneOf(['a', 'b'], { doc: '.' }), good: ['a'], bad: ['c', 'A'] },
    NAME: { kind: text({ doc: '.', maxLength: 3, pattern: /^[a-z]+$/ }), good: ['abc'], bad: ['abcd', 'AB'] },
    ITEMS: {
      kind: list({ doc: '.', maxItems: 2, oneOf: ['x', 'y'] }),
      good: ['x', 'x,y', ' x , y '],
      bad: ['x,y,x', 'z'],
    },
    LINK: { kind: url({ doc: '.' }), good: ['https://a.example/x'], bad: ['a.example', 'ftp://a.example', 'http:'] },
    TOKEN: { kind: secret({ doc: '.', minBytes: 24 }), good: [strongSecret], bad: ['short'] },
    KEY: {
      kind: keyBytes({ doc: '.' }),
      good: [randomBytes(32).toString('hex'), randomBytes(32).toString('base64')],
      bad: ['00', randomBytes(31).toString('base64'), `${randomBytes(32).toString('hex')}0`],
    },
    PATH: { kind: file({ doc: '.' }), good: [import.meta.filename], bad: ['/nowhere/at/all'] },
  } as const;
  for (const [name, { kind, good, bad }] of Object.entries(kinds)) {
    for (const value of good) await t.resolves(loadConfig({ [name]: kind }, { [name]: value, STRONGROOM_ENV: 'test' }));
    for (const value of bad) {
      const { faults, message } = await faultsOf({ [name]: kind }, { [name]: value, STRONGROOM_ENV: 'test' });
      t.match(faults, [{ variable: name, rule: /must/ }], `${name} refuses a wrong value`);
      if (value.length > 2) t.notOk(message.includes(value), 'and says which rule, not which value');
    }
  }
});

t.test('S3.2: all faults at once, and never a value', async (t) => {
  const schema = defineConfig({
    A: port({ doc: '.' }),
    B: secret({ doc: '.', minBytes: 24 }),
    C: url({ doc: '.' }),
    D: oneOf(['x'], { doc: '.' }),
    E: keyBytes({ doc: '.' }),
    F: integer({ doc: '.' }),
  });
  const canary = 'canary-4711';
  const error = await faultsOf(schema, { A: canary, B: canary, C: canary, D: canary, E: `${canary}=`, F: canary });
  t.same(
    error.faults.map(({ variable }) => variable),
    ['A', 'B', 'C', 'D', 'E', 'F'],
  );
  t.notMatch(`${error.message}\n${inspect(error, { depth: 9 })}`, /canary/);
  t.match(error.message, /6 faults:\n {2}A: must/);
});

t.test('S3.2: production refuses defaults and weak secrets; nothing said means production', async (t) => {
  const schema = defineConfig({ TOKEN: secret({ doc: '.', default: 'a-default-for-development-only' }) });
  for (const environment of [{}, { STRONGROOM_ENV: 'production' }] as Record<string, string>[]) {
    t.match((await faultsOf(schema, environment)).faults, [{ variable: 'TOKEN', rule: /no default/ }]);
  }
  const { TOKEN } = await loadConfig(schema, { STRONGROOM_ENV: 'development' });
  t.equal(TOKEN.reveal(), 'a-default-for-development-only');
  const weak = [
    'your-secret-key-goes-here-0x9f2k',
    'CHANGE-ME-before-you-deploy-93kf',
    'my-default-secret-93kfmw02kdlw9w',
    'test-secret-93kfmw02kdlw9wq01kdm',
    'development-only-93kfmw02kdlw9wq',
    'kfmw02kdlw9wq01kdm123456kdm20dkw',
    'the-password-93kfmw02kdlw9wq01kd',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'abcabcabcabcabcabcabcabcabcabcabcabc',
    'abcdefghijklmnopqrstuvwxyzabcdefghij',
    '0987654321098765432109876543210987654321',
  ];
  for (const value of weak) {
    const { faults, message } = await faultsOf(schema, { TOKEN: value });
    t.match(faults, [{ variable: 'TOKEN', rule: /weak pattern|easy to guess/ }]);
    t.notOk(message.includes(value));
  }
  for (let round = 0; round < 200; round += 1) {
    await t.resolves(loadConfig(schema, { TOKEN: randomBytes(24).toString('hex') }), 'a random one is taken');
  }
});

t.test('S3.2, older faults 43, 55: production refuses the usual accounts in URLs', async (t) => {
  const schema = defineConfig({ DATABASE_URL: url({ doc: '.', protocols: ['postgres:', 'amqp:'] }) });
  for (const value of [
    'postgres://postgres:postgres@db/x',
    'amqp://guest:guest@mq',
    'amqp://guest@mq',
    'postgres://admin:admin@db/x',
    'postgres://app:123456@db/x',
    'postgres://app:app@db/x',
  ]) {
    const { message } = await faultsOf(schema, { DATABASE_URL: value });
    t.notOk(message.includes(value));
    await t.resolves(loadConfig(schema, { DATABASE_URL: value, STRONGROOM_ENV: 'development' }));
  }
  const good = `postgres://app:${randomBytes(9).toString('hex')}@db/x?sslmode=verify-full`;
  await t.resolves(loadConfig(schema, { DATABASE_URL: good }));
});

t.test('ASVS V12.3.1, V12.3.3: production takes no URL whose link is in clear, given or by default', async (t) => {
  const links: Record<string, readonly [clear: string, secure: string]> = {
    DATABASE_URL: ['postgres://app:x7Kq0vTz@db/app', 'postgres://app:x7Kq0vTz@db/app?sslmode=verify-full'],
    REDIS_URL: ['redis://redis:6379', 'rediss://redis:6379'],
    NATS_URL: ['nats://nats:4222', 'tls://nats:4222'],
    AUTH_URL: ['http://auth:3001', 'https://auth:3001'],
    OTEL_EXPORTER_OTLP_ENDPOINT: ['http://collector:4318', 'https://collector:4318'],
  };
  const good = {
    ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
    ...Object.fromEntries(Object.entries(links).map(([name, [, secure]]) => [name, secure])),
  };
  await t.resolves(loadConfig(platformVariables, good));
  for (const [name, [clear]] of Object.entries(links)) {
    const { faults } = await faultsOf(platformVariables, { ...good, [name]: clear });
    t.match(faults, [{ variable: name, rule: /nothing leaves in clear/ }]);
    await t.resolves(loadConfig(platformVariables, { ...good, [name]: clear, STRONGROOM_ENV: 'development' }));
  }
  const disabled = `${links['DATABASE_URL']?.[0]}?sslmode=disable`;
  t.match((await faultsOf(platformVariables, { ...good, DATABASE_URL: disabled })).faults, [
    { variable: 'DATABASE_URL' },
  ]);
  const { REDIS_URL: _, ...withoutRedis } = good as Record<string, string>;
  t.match(
    (await faultsOf(platformVariables, withoutRedis)).faults,
    [{ variable: 'REDIS_URL' }],
    'its default is in clear',
  );
  const open = defineConfig({ WITNESS_URL: url({ doc: '.', mayBeClear: true }) });
  await t.resolves(loadConfig(open, { WITNESS_URL: 'http://witness' }), 'what the schema exempts is taken');
});

t.test('S3.2: a secret shows itself to nobody who does not ask for it', async (t) => {
  const config = await loadConfig({ TOKEN: secret({ doc: '.' }) }, { TOKEN: strongSecret });
  const shown = [
    JSON.stringify(config),
    inspect(config, { depth: 9, showHidden: true }),
    inspect(config.TOKEN, { showHidden: true }),
    JSON.stringify({ nested: config.TOKEN }),
    `${config.TOKEN}`,
    String(config.TOKEN),
    JSON.stringify(Object.entries(config)),
  ].join('\n');
  t.notOk(shown.includes(strongSecret));
  t.equal(config.TOKEN.reveal(), strongSecret);
  t.throws(() => Object.assign(config, { TOKEN: 'other' }), 'a configuration does not change');
});

t.test('S3.2: the variables of the platform have the defaults of the contract', async (t) => {
  const config = await loadConfig(platformVariables, {
    STRONGROOM_ENV: 'development',
    DATABASE_URL: 'postgres://app:x@127.0.0.1/app',
    ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
  });
  t.match(config, {
    DB_POOL_MAX_CONNECTIONS: 10,
    DB_CONNECTION_TIMEOUT: 30,
    DB_POOL_TIMEOUT: 600,
    DB_QUERY_TIMEOUT_MS: 10_000,
    DB_SLOW_QUERY_THRESHOLD_MS: 1_000,
    DB_ENABLE_QUERY_METRICS: true,
    DB_ENABLE_SLOW_QUERY_LOGGING: true,
    RATE_LIMIT_GENERAL_MAX: 100,
    RATE_LIMIT_AUTH_MAX: 5,
    RATE_LIMIT_AUTH_ADDRESS_MAX: 20,
    RATE_LIMIT_REFRESH_MAX: 60,
    RATE_LIMIT_SERVICE_MAX: 100,
    RATE_LIMIT_WINDOW_S: 900,
  });
  const example = printEnvExample([
    { title: 'All', schema: platformVariables },
    { title: 'Again', schema: { PORT: port({ doc: 'Port.', default: 3000 }), HOST: platformVariables.HOST } },
  ]);
  for (const name of Object.keys(platformVariables)) {
    t.equal(example.match(new RegExp(`^(# )?${name}=`, 'gm'))?.length, 1, `${name} stands once`);
  }
  t.match(example, /^DATABASE_URL=$/m, 'what must be given stands open');
  t.match(example, /^# DB_POOL_MAX_CONNECTIONS=10$/m);
  t.throws(() => defineConfig({ lower: port({ doc: '.' }) }), TypeError);
});
