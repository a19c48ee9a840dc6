import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, readServiceError } from '@strongroom/platform/errors';
import {
  createAuthenticator,
  createStaticKeys,
  type KeySource,
  type VerificationKey,
} from '@strongroom/platform/identity';
import t from 'tap';

const ed = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
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
const bySecret = (text: string, key: Buffer | string = secret) =>
  `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
const byKey = (text: string, key: KeyObject = ed.privateKey, hash: string | null = null) =>
  `${text}.${sign(hash, Buffer.from(text), key).toString('base64url')}`;
const token = (changes: object = {}, head: unknown = header) => byKey(unsigned(head, { ...claims, ...changes }));
const without = (name: keyof typeof claims) => {
  const { [name]: _left, ...rest } = claims;
  return byKey(unsigned(header, rest));
};

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
const [head = '', payload = '', signature = ''] = good.split('.');
const lastBits = signature.slice(0, -1) + respell(signature.at(-1) ?? '');

/** Another last character that stands for the same bytes, since its unused bits are ignored by lenient decoders. */
function respell(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) ^ 1] ?? '';
}

const forgeries: Record<string, string> = {
  nothing: '',
  'one part': 'abc',
  'two parts': `${head}.${payload}`,
  'four parts': `${good}.x`,
  'five parts, an encrypted token': 'a.b.c.d.e',
  'no signature': `${head}.${payload}.`,
  'no header': `.${payload}.${signature}`,
  'another signature': byKey(unsigned(header, claims), other.privateKey),
  'a bit of the signature': `${head}.${payload}.${respell(signature[0] ?? '')}${signature.slice(1)}`,
  'the signature cut off': good.slice(0, -4),
  'the payload of another': `${head}.${encode({ ...claims, role: 'ADMIN' })}.${signature}`,
  'the header of another': `${encode({ ...header, kid: 'hs' })}.${payload}.${signature}`,
  'a space inside': `${head}.${payload}. ${signature}`,
  'a line break at the end': `${good}\n`,
  padding: `${good}==`,
  'unused bits set': `${head}.${payload}.${lastBits}`,
  'base64 in place of base64url': byKey(`${Buffer.from(JSON.stringify(header)).toString('base64')}.${payload}`),
  'alg none': `${unsigned({ ...header, alg: 'none' }, claims)}.`,
  'alg none with a signature': `${unsigned({ ...header, alg: 'none' }, claims)}.${signature}`,
  'alg nOnE': `${unsigned({ ...header, alg: 'nOnE' }, claims)}.${signature}`,
  'alg missing': byKey(unsigned({ typ: 'at+jwt', kid: 'ed' }, claims)),
  'the public key as a secret': bySecret(unsigned({ ...header, alg: 'HS256' }, claims), pem(ed.publicKey)),
  'the secret under the public key’s id': bySecret(unsigned({ ...header, alg: 'HS256' }, claims)),
  'HS512 under HS256’s id': (() => {
    const text = unsigned({ ...header, alg: 'HS512', kid: 'hs' }, claims);
    return `${text}.${createHmac('sha512', secret).update(text).digest('base64url')}`;
  })(),
  RS256: byKey(unsigned({ ...header, alg: 'RS256' }, claims), rsa.privateKey, 'sha256'),
  ES256: byKey(unsigned({ ...header, alg: 'ES256' }, claims), ec.privateKey, 'sha256'),
  'EdDSA under the secret’s id': byKey(unsigned({ ...header, kid: 'hs' }, claims)),
  'an unknown key id': token({}, { ...header, kid: 'unknown' }),
  'no key id': token({}, { alg: 'EdDSA', typ: 'at+jwt' }),
  'a key id that is a path': token({}, { ...header, kid: '../../dev/null' }),
  'a key id that is SQL': token({}, { ...header, kid: "ed' or '1'='1" }),
  'a key id that is a number': token({}, { ...header, kid: 0 }),
  'an inherited key id': token({}, { ...header, kid: '__proto__' }),
  'jwk, its own key': byKey(
    unsigned({ ...header, jwk: createPublicKey(pem(other.publicKey)).export({ format: 'jwk' }) }, claims),
    other.privateKey,
  ),
  jku: token({}, { ...header, jku: 'https://evil.example/jwks.json' }),
  x5u: token({}, { ...header, x5u: 'https://evil.example/cert.pem' }),
  x5c: token({}, { ...header, x5c: ['MIIB'] }),
  crit: token({}, { ...header, crit: ['exp'] }),
  'b64 false': token({}, { ...header, b64: false, crit: ['b64'] }),
  'typ JWT': token({}, { ...header, typ: 'JWT' }),
  'typ of an id token': token({}, { alg: 'EdDSA', kid: 'ed' }),
  'typ in capitals': token({}, { ...header, typ: 'AT+JWT' }),
  'a header that is no object': byKey(`${encode('[]')}.${payload}`),
  'a header that is no JSON': byKey(`${encode('{')}.${payload}`),
  'a payload that is no JSON': byKey(`${head}.${encode('{')}`),
  'a payload that is null': byKey(`${head}.${encode('null')}`),
  'another issuer': token({ iss: 'https://evil.example' }),
  'no issuer': without('iss'),
  'a list of issuers': token({ iss: [claims.iss] }),
  'another audience': token({ aud: 'elsewhere' }),
  'a list of audiences': token({ aud: ['elsewhere', 'strongroom'] }),
  'no audience': without('aud'),
  'no expiry': without('exp'),
  'an expiry that is a text': token({ exp: String(claims.exp) }),
  'an expiry that is null': token({ exp: null }),
  'an expiry beyond reason': token({ exp: nowS + 1e9 }),
  'a negative expiry': token({ exp: -1 }),
  'an expiry before its issue': token({ exp: claims.iat - 1 }),
  'no time of issue': without('iat'),
  'issued in the future': token({ iat: nowS + 60, exp: nowS + 900 }),
  'not valid yet': token({ nbf: nowS + 60 }),
  'nbf that is a text': token({ nbf: '0' }),
  'no subject': without('sub'),
  'a subject that is no UUID': token({ sub: 'admin' }),
  'a subject in capitals': token({ sub: claims.sub.toUpperCase() }),
  'a list of subjects': token({ sub: [claims.sub] }),
  'no session': without('sid'),
  'no token id': without('jti'),
  'a token id with a wildcard': token({ jti: '*' }),
  'no role': without('role'),
  'the role of a process': token({ role: 'SERVICE' }),
  'an unknown role': token({ role: 'ROOT' }),
  'a role in small letters': token({ role: 'admin' }),
  'a list of roles': token({ role: ['ADMIN'] }),
  'a role that is a number': token({ role: 3 }),
  'no methods': without('amr'),
  'methods that are a text': token({ amr: 'mfa' }),
  'no time of authentication': without('auth_time'),
  'pcr that is a text': token({ pcr: 'false' }),
  'mfe that is a number': token({ mfe: 0 }),
  'cnf of another kind': token({ cnf: { jwk: {} } }),
  'cnf that is empty': token({ cnf: {} }),
  'far too long': token({ extra: 'x'.repeat(5_000) }),
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

t.test('S3.1a: an expired token says so, also out of the cache', async (t) => {
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
