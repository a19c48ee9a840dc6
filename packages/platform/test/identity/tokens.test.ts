import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, readServiceError } from '@strongroom/platform/errors';
import {
  createAuthenticator,
  createStaticKeys,
  type KeySource,
  type VerificationKey,
} from '@strongroom/platform/identity';
import { forgeTokens, respell } from '@strongroom/testkit';
import t from 'tap';

const ed = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const secret = Buffer.from('0123456789abcdef0123456789abcdef');
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const edKey: VerificationKey = { kid: 'ed', algorithm: 'EdDSA', material: pem(ed.publicKey) };
const hsKey: VerificationKey = { kid: 'hs', algorithm: 'HS256', material: secret };

const nowS = 1_800_000_000;
const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'ed' };
const claims = {
  iss: 'https://issuer.test',
  aud: 'strongroom',
  sub: '018f3c5e-0000-7000-8000-000000000001',
  sid: '018f3c5e-0000-7000-8000-000000000002',
  jti: '018f3c5e-0000-7000-8000-000000000003',
  role: 'CUSTOMER',
  amr: ['pwd'],
  auth_time: nowS - 60,
  iat: nowS - 10,
  exp: nowS + 890,
};

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const unsigned = (head: unknown, payload: unknown) => `${encode(head)}.${encode(payload)}`;
const bySecret = (text: string) => `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
const byKey = (text: string) => `${text}.${sign(null, Buffer.from(text), ed.privateKey).toString('base64url')}`;
const token = (changes: object = {}, head: unknown = header) => byKey(unsigned(head, { ...claims, ...changes }));
function createFixture(keys: KeySource = createStaticKeys([edKey, hsKey])) {
  let nowMs = nowS * 1000;
  const asked: string[] = [];
  const revoked = new Set<string>();
  const authenticator = createAuthenticator({
    keys,
    revocation: {
      async isRevoked({ tokenId }) {
        asked.push(tokenId);
        return revoked.has(tokenId);
      },
    },
    issuer: claims.iss,
    audience: claims.aud,
    now: () => nowMs,
  });
  const outcomeOf = (text: string) =>
    authenticator.authenticate(text).then(
      () => 'valid',
      (error: unknown) => readServiceError(error)?.reason ?? String(error),
    );
  const advance = (seconds: number): void => {
    nowMs += seconds * 1000;
  };
  return { authenticator, outcomeOf, asked, revoked, advance };
}

t.test('S3.1a: a good token is the person, as its claims say', async (t) => {
  const { authenticator } = createFixture();
  t.same(
    await authenticator.authenticate(token({ cnf: { jkt: 'x'.repeat(43) }, pcr: true, mfe: true, iat: nowS - 9.5 })),
    {
      userId: claims.sub,
      sessionId: claims.sid,
      tokenId: claims.jti,
      role: Role.CUSTOMER,
      authenticationMethods: ['pwd'],
      authenticationTime: new Date((nowS - 60) * 1000),
      issueTime: new Date(nowS * 1000 - 9_500),
      expireTime: new Date((nowS + 890) * 1000),
      passwordChangeRequired: true,
      secondFactorEnrolled: true,
      keyThumbprint: 'x'.repeat(43),
    },
  );
  const hs = bySecret(unsigned({ ...header, alg: 'HS256', kid: 'hs' }, claims));
  t.match(await authenticator.authenticate(hs), { userId: claims.sub });
});

const good = token();
const forgeries: Record<string, string> = {
  ...forgeTokens({
    header,
    claims,
    sign: (text) => byKey(text),
    publicKey: { kid: 'ed', pem: pem(ed.publicKey) },
    secret: { kid: 'hs', secret },
  }),
  'a line break at the end': `${good}\n`,
};

t.test('S3.1a: every forgery is refused, and all alike', async (t) => {
  const { authenticator, outcomeOf, asked } = createFixture();
  t.equal(await outcomeOf(good), 'valid');
  asked.length = 0;
  const answers = new Set<string>();
  for (const [name, forgery] of Object.entries(forgeries)) {
    for (const attempt of [1, 2]) {
      const error = await authenticator.authenticate(forgery).catch((cause: unknown) => cause);
      t.match(readServiceError(error), { reason: 'TOKEN_INVALID', status: 401 }, `${name}, attempt ${attempt}`);
      answers.add(JSON.stringify(readServiceError(error)));
    }
  }
  t.equal(answers.size, 1, 'nobody learns why');
  t.same(asked, [], 'nobody else is asked about a forgery');
  t.ok(Object.keys(forgeries).length >= 40);
});

t.test('S3.1a: an expired token says so, also out of the cache (older fault 20)', async (t) => {
  const { outcomeOf, advance } = createFixture();
  t.equal(await outcomeOf(good), 'valid');
  advance(889);
  t.equal(await outcomeOf(good), 'valid');
  advance(31);
  t.equal(await outcomeOf(good), 'TOKEN_EXPIRED');
  t.equal(await outcomeOf(token({ iat: nowS - 2_000, exp: nowS - 1_000 })), 'TOKEN_EXPIRED');
});

t.test('S1.2c: revocation is asked each time, for cached tokens too', async (t) => {
  const { outcomeOf, asked, revoked } = createFixture();
  for (let round = 0; round < 3; round++) t.equal(await outcomeOf(good), 'valid');
  t.equal(asked.length, 3);
  revoked.add(claims.jti);
  t.equal(await outcomeOf(good), 'TOKEN_REVOKED');
});

t.test('S3.1a: a key that is withdrawn takes its tokens along', async (t) => {
  const keys = new Map([[edKey.kid, edKey]]);
  const { outcomeOf } = createFixture({ find: (kid) => keys.get(kid) });
  t.equal(await outcomeOf(good), 'valid');
  keys.set('ed', { ...edKey, material: pem(other.publicKey) });
  t.equal(await outcomeOf(good), 'TOKEN_INVALID', 'another key under the same id');
  keys.clear();
  t.equal(await outcomeOf(good), 'TOKEN_INVALID');
});

t.test('S1.2c: when nobody can say whether it was revoked, it is not accepted', async (t) => {
  const authenticator = createAuthenticator({
    keys: createStaticKeys([edKey]),
    revocation: { isRevoked: () => Promise.reject(commonErrors.UNAVAILABLE()) },
    issuer: claims.iss,
    audience: claims.aud,
    now: () => nowS * 1000,
  });
  t.match(await authenticator.authenticate(good).catch(readServiceError), { reason: 'UNAVAILABLE' });
});

t.test('S3.1a: random changes of a good token are never taken', async (t) => {
  const { outcomeOf } = createFixture();
  for (let index = 0; index < good.length; index++) {
    const changed = good.slice(0, index) + respell(good[index] ?? '') + good.slice(index + 1);
    if (changed !== good && (await outcomeOf(changed)) !== 'TOKEN_INVALID') t.fail(changed);
  }
  t.ok(t.passing(), `${good.length} changes`);
});
