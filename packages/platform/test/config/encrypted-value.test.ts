import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ConfigError,
  cacheProvider,
  createProviders,
  type EncryptedValueAccess,
  loadConfig,
  sealEncryptedValue,
  secret,
  text,
} from '@strongroom/platform/config';
import t from 'tap';

const masterKey = randomBytes(32).toString('hex');
const environment = { STRONGROOM_ENV: 'production', ENCRYPTION_MASTER_KEY: masterKey, ENCRYPTION_KEY_ID: 'key-1' };
const schema = { TOKEN: secret({ doc: '.' }), OTHER: text({ doc: '.', optional: true }) };
const value = randomBytes(24).toString('base64');

function providerOf(name: string, variables: Record<string, string> = environment) {
  const provider = createProviders(variables).get(name);
  if (provider === undefined) throw new Error(`There is no provider ${name}.`);
  return provider;
}

async function refusalOf(variables: Record<string, string>): Promise<ConfigError> {
  const error = await loadConfig(schema, variables).catch((fault: unknown) => fault);
  if (!(error instanceof ConfigError)) throw new Error('It was opened.');
  return error;
}

t.test('S3.3a: any variable may be sealed, under hex or base64 keys, and each opening is told', async (t) => {
  const sealed = await sealEncryptedValue(providerOf('local'), 'TOKEN', value);
  t.match(sealed, /^ENC\[local:[A-Za-z0-9+/=]+\]$/);
  t.not(sealed, await sealEncryptedValue(providerOf('local'), 'TOKEN', value), 'never twice the same');
  const accesses: EncryptedValueAccess[] = [];
  const base64 = { ...environment, ENCRYPTION_MASTER_KEY: Buffer.from(masterKey, 'hex').toString('base64') };
  for (const variables of [environment, base64]) {
    const config = await loadConfig(schema, { ...variables, TOKEN: sealed }, { onAccess: (a) => accesses.push(a) });
    t.equal(config.TOKEN.reveal(), value);
  }
  const access = { provider: 'local', variable: 'TOKEN', keyId: 'key-1', operation: 'open', outcome: 'ok' };
  t.same(accesses, [access, access]);
  const rotated = {
    ...environment,
    ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
    ENCRYPTION_KEY_ID: 'key-2',
    ENCRYPTION_PREVIOUS_KEYS: `key-1:${masterKey}`,
  };
  t.equal((await loadConfig(schema, { ...rotated, TOKEN: sealed })).TOKEN.reveal(), value, 'after a rotation');
});

t.test(
  'S3.3a, older fault 55: tampered, swapped, or under another key: refused, without a word about the value',
  async (t) => {
    const sealed = await sealEncryptedValue(providerOf('local'), 'TOKEN', value);
    const bytes = Buffer.from(sealed.slice('ENC[local:'.length, -1), 'base64');
    const withBytes = (changed: Buffer) => `ENC[local:${changed.toString('base64')}]`;
    for (let position = 0; position < bytes.length; position += 1) {
      const changed = Buffer.from(bytes);
      changed[position] = (changed[position] ?? 0) ^ 1;
      await t.rejects(loadConfig(schema, { ...environment, TOKEN: withBytes(changed) }), ConfigError);
    }
    const cases: Record<string, Record<string, string>> = {
      'cut short': { ...environment, TOKEN: withBytes(bytes.subarray(0, 20)) },
      empty: { ...environment, TOKEN: 'ENC[local:]' },
      'no base64': { ...environment, TOKEN: 'ENC[local:***]' },
      'unknown provider': { ...environment, TOKEN: sealed.replace('local', 'vault') },
      'another key of the same id': {
        ...environment,
        ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
        TOKEN: sealed,
      },
      'another id': { ...environment, ENCRYPTION_KEY_ID: 'key-9', TOKEN: sealed },
      'no key': { STRONGROOM_ENV: 'production', TOKEN: sealed },
      'of another variable': { ...environment, TOKEN: value, OTHER: sealed },
    };
    for (const [name, variables] of Object.entries(cases)) {
      const error = await refusalOf(variables);
      t.match(error.faults, [{ rule: 'is an ENC[…] value that could not be opened' }], name);
      t.notOk(error.message.includes(value));
    }
    const accesses: EncryptedValueAccess[] = [];
    await loadConfig(
      schema,
      { ...environment, TOKEN: value, OTHER: sealed },
      { onAccess: (a) => accesses.push(a) },
    ).catch(() => undefined);
    t.match(accesses, [{ variable: 'OTHER', outcome: 'refused' }], 'a refused opening is told too');
  },
);

t.test('S3.3a: a sealed value is held to the same rules once it is open', async (t) => {
  const weak = await sealEncryptedValue(providerOf('local'), 'TOKEN', 'change-me-change-me-change-me');
  t.match((await refusalOf({ ...environment, TOKEN: weak })).faults, [{ rule: /weak pattern/ }]);
});

t.test('S3.3a: opened values are kept for the time allowed, and failures not at all', async (t) => {
  let opened = 0;
  let now = 0;
  let isDown = false;
  const provider = cacheProvider(
    {
      name: 'counting',
      seal: async () => Buffer.alloc(0),
      async open() {
        opened += 1;
        if (isDown) throw new Error('down');
        return { plaintext: 'p', keyId: 'k' };
      },
    },
    1_000,
    () => now,
  );
  await provider.open('A', Buffer.from('x'));
  await provider.open('A', Buffer.from('x'));
  t.equal(opened, 1);
  await provider.open('B', Buffer.from('x'));
  t.equal(opened, 2, 'by variable');
  now = 1_001;
  isDown = true;
  await t.rejects(provider.open('A', Buffer.from('x')), /down/);
  isDown = false;
  await provider.open('A', Buffer.from('x'));
  t.equal(opened, 4);
});

/** Speaks AWS KMS' JSON protocol as far as GenerateDataKey and Decrypt, with a real wrapping key. */
async function startKms() {
  const wrappingKey = randomBytes(32);
  const calls: { target: string; body: Record<string, unknown>; authorization: string }[] = [];
  let failure: { status: number; type: string } | undefined;
  const contextOf = (body: Record<string, unknown>) => Buffer.from(JSON.stringify(body['EncryptionContext'] ?? {}));
  const server = createServer(async (request, response) => {
    let raw = '';
    for await (const chunk of request) raw += chunk;
    const body = JSON.parse(raw) as Record<string, unknown>;
    const target = String(request.headers['x-amz-target']);
    calls.push({ target, body, authorization: String(request.headers.authorization) });
    const answer = (status: number, content: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(content));
    if (failure !== undefined) return answer(failure.status, { __type: failure.type, message: 'no' });
    if (target === 'TrentService.GenerateDataKey') {
      const dataKey = randomBytes(32);
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', wrappingKey, iv).setAAD(contextOf(body));
      const wrapped = Buffer.concat([iv, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
      return answer(200, {
        KeyId: 'arn:aws:kms:eu-west-1:111122223333:key/0000-1111',
        Plaintext: dataKey.toString('base64'),
        CiphertextBlob: wrapped.toString('base64'),
      });
    }
    const wrapped = Buffer.from(String(body['CiphertextBlob']), 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', wrappingKey, wrapped.subarray(0, 12)).setAAD(contextOf(body));
      decipher.setAuthTag(wrapped.subarray(-16));
      const dataKey = Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
      return answer(200, { Plaintext: dataKey.toString('base64') });
    } catch {
      return answer(400, { __type: 'InvalidCiphertextException' });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    fail(given: typeof failure) {
      failure = given;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

t.test('S3.3a: AWS KMS by its own protocol: a data key for each value, bound to the variable', async (t) => {
  const kms = await startKms();
  t.teardown(kms.close);
  process.env['AWS_ACCESS_KEY_ID'] = 'AKIDEXAMPLE';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'example';
  const variables = {
    STRONGROOM_ENV: 'production',
    AWS_KMS_KEY_ID: 'alias/strongroom',
    AWS_KMS_ENDPOINT: kms.url,
    AWS_REGION: 'eu-west-1',
  };
  const long = randomBytes(6_000).toString('base64');
  const sealed = await sealEncryptedValue(providerOf('awskms', variables), 'TOKEN', long);
  const accesses: EncryptedValueAccess[] = [];
  const config = await loadConfig(
    { TOKEN: secret({ doc: '.' }) },
    { ...variables, TOKEN: sealed },
    { onAccess: (access) => accesses.push(access) },
  );
  t.equal(config.TOKEN.reveal(), long, 'longer than the 4 KiB that the KMS itself would take');
  t.match(accesses, [{ provider: 'awskms', variable: 'TOKEN', keyId: '0000-1111', outcome: 'ok' }]);
  t.match(kms.calls, [
    {
      target: 'TrentService.GenerateDataKey',
      body: { KeyId: 'alias/strongroom', EncryptionContext: { variable: 'TOKEN' } },
    },
    {
      target: 'TrentService.Decrypt',
      body: { EncryptionContext: { variable: 'TOKEN' } },
      authorization: /^AWS4-HMAC-SHA256/,
    },
  ]);
  t.notMatch(JSON.stringify(kms.calls), new RegExp(long.slice(0, 40).replace(/[+/]/g, '\\$&')), 'the value stays here');
  const swapped = await refusalOf({ ...variables, TOKEN: value, OTHER: sealed });
  t.match(swapped.faults, [{ variable: 'OTHER', rule: /could not be opened/ }]);
  kms.fail({ status: 400, type: 'AccessDeniedException' });
  t.match((await refusalOf({ ...variables, TOKEN: sealed })).faults, [{ variable: 'TOKEN' }]);
  kms.fail({ status: 400, type: 'DisabledException' });
  await t.rejects(sealEncryptedValue(providerOf('awskms', variables), 'TOKEN', 'x'));
});
