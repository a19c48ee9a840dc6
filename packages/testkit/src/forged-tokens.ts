import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A token that verifies, taken apart, and what an attacker may know of the keys. */
export interface TokenModel {
  /** Its `alg` and `kid` are those of the key that `sign` has. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>> & { readonly sub: string; readonly iat: number };
  /** Adds the right signature to header and payload, whatever they hold. */
  sign(signingInput: string): string;
  /** An Ed25519 key that verifies: its id and PEM. */
  readonly publicKey: { readonly kid: string; readonly pem: string };
  /** A shared secret that verifies. */
  readonly secret: { readonly kid: string; readonly secret: Buffer };
}

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const unsigned = (head: unknown, payload: unknown) => `${encode(head)}.${encode(payload)}`;
const bySecret = (text: string, key: Buffer | string, hash = 'sha256') =>
  `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
const byKey = (text: string, key: KeyObject, hash: string | null = null) =>
  `${text}.${sign(hash, Buffer.from(text), key).toString('base64url')}`;

/** Another last character that stands for the same bytes, since its unused bits are ignored by lenient decoders. */
export function respell(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) ^ 1] ?? '';
}

/** Access tokens by name of what is wrong with them, and with nothing else (S3.1a, RFC 8725). */
export function forgeTokens(model: TokenModel): Record<string, string> {
  return { ...forgedShapes(model), ...forgedHeaders(model), ...forgedClaims(model) };
}

function forgedShapes({ header, claims, sign: seal, secret, publicKey }: TokenModel): Record<string, string> {
  const good = seal(unsigned(header, claims));
  const [head = '', payload = '', signature = ''] = good.split('.');
  const other = generateKeyPairSync('ed25519').privateKey;
  const kid = header['kid'] === secret.kid ? publicKey.kid : secret.kid;
  return {
    nothing: '',
    'one part': 'abc',
    'two parts': `${head}.${payload}`,
    'four parts': `${good}.x`,
    'five parts, an encrypted token': 'a.b.c.d.e',
    'no signature': `${head}.${payload}.`,
    'no header': `.${payload}.${signature}`,
    'another signature': byKey(`${head}.${payload}`, other),
    'a bit of the signature': `${head}.${payload}.${respell(signature[0] ?? '')}${signature.slice(1)}`,
    'the signature cut off': good.slice(0, -4),
    'the payload of another': `${head}.${encode({ ...claims, sid: claims.sub })}.${signature}`,
    'the header of another': `${encode({ ...header, kid })}.${payload}.${signature}`,
    'a space inside': `${head}.${payload}. ${signature}`,
    padding: `${good}==`,
    'padding inside': seal(`${head}==.${payload}`),
    'unused bits set': `${head}.${payload}.${signature.slice(0, -1)}${respell(signature.at(-1) ?? '')}`,
    'a header that is no object': seal(`${encode('[]')}.${payload}`),
    'a header that is no JSON': seal(`${encode('{')}.${payload}`),
    'a payload that is no JSON': seal(`${head}.${encode('{')}`),
    'a payload that is null': seal(`${head}.${encode('null')}`),
    'far too long': seal(unsigned(header, { ...claims, extra: 'x'.repeat(5_000) })),
  };
}

function forgedHeaders({ header, claims, sign: seal, publicKey, secret }: TokenModel): Record<string, string> {
  const token = (head: unknown) => seal(unsigned(head, claims));
  const signature = token(header).split('.')[2];
  const { alg: _alg, ...withoutAlgorithm } = header;
  const { kid: _kid, ...withoutId } = header;
  const { typ: _typ, ...withoutType } = header;
  const other = generateKeyPairSync('ed25519');
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const underPublic = { ...header, alg: 'HS256', kid: publicKey.kid };
  const jwk = createPublicKey(other.privateKey).export({ format: 'jwk' });
  return {
    'alg none': `${unsigned({ ...header, alg: 'none' }, claims)}.`,
    'alg none with a signature': `${unsigned({ ...header, alg: 'none' }, claims)}.${signature}`,
    'alg nOnE': `${unsigned({ ...header, alg: 'nOnE' }, claims)}.${signature}`,
    'alg missing': token(withoutAlgorithm),
    'the public key as a secret': bySecret(unsigned(underPublic, claims), publicKey.pem),
    'the secret under the public key’s id': bySecret(unsigned(underPublic, claims), secret.secret),
    'HS512 under HS256’s id': bySecret(
      unsigned({ ...header, alg: 'HS512', kid: secret.kid }, claims),
      secret.secret,
      'sha512',
    ),
    'a secret out of a tutorial': bySecret(
      unsigned({ ...header, alg: 'HS256', kid: secret.kid }, claims),
      'your-secret-key-change-in-production',
    ),
    RS256: byKey(unsigned({ ...header, alg: 'RS256' }, claims), rsa, 'sha256'),
    ES256: byKey(unsigned({ ...header, alg: 'ES256' }, claims), ec, 'sha256'),
    'EdDSA under the secret’s id': token({ ...header, alg: 'EdDSA', kid: secret.kid }),
    'an unknown key id': token({ ...header, kid: 'unknown' }),
    'no key id': token(withoutId),
    'a key id that is a path': token({ ...header, kid: '../../dev/null' }),
    'a key id that is SQL': token({ ...header, kid: "ed' or '1'='1" }),
    'a key id that is a number': token({ ...header, kid: 0 }),
    'an inherited key id': token({ ...header, kid: '__proto__' }),
    'jwk, its own key': byKey(unsigned({ ...header, alg: 'EdDSA', jwk }, claims), other.privateKey),
    jku: token({ ...header, jku: 'https://evil.example/jwks.json' }),
    x5u: token({ ...header, x5u: 'https://evil.example/cert.pem' }),
    x5c: token({ ...header, x5c: ['MIIB'] }),
    crit: token({ ...header, crit: ['exp'] }),
    'b64 false': token({ ...header, b64: false, crit: ['b64'] }),
    'typ JWT': token({ ...header, typ: 'JWT' }),
    'typ of a proof': token({ ...header, typ: 'dpop+jwt' }),
    'no typ': token(withoutType),
    'typ in capitals': token({ ...header, typ: 'AT+JWT' }),
  };
}

function forgedClaims({ header, claims, sign: seal }: TokenModel): Record<string, string> {
  const token = (changes: object) => seal(unsigned(header, { ...claims, ...changes }));
  const without = (name: string) => {
    const { [name]: _left, ...rest } = claims;
    return seal(unsigned(header, rest));
  };
  const nowS = claims.iat + 10;
  return {
    'another issuer': token({ iss: 'https://evil.example' }),
    'no issuer': without('iss'),
    'a list of issuers': token({ iss: [claims['iss']] }),
    'another audience': token({ aud: 'elsewhere' }),
    'a list of audiences': token({ aud: ['elsewhere', claims['aud']] }),
    'no audience': without('aud'),
    'no expiry': without('exp'),
    'an expiry that is a text': token({ exp: String(claims['exp']) }),
    'an expiry that is null': token({ exp: null }),
    'an expiry beyond reason': token({ exp: nowS + 1e9 }),
    'a negative expiry': token({ exp: -1 }),
    'an expiry before its issue': token({ exp: claims.iat - 1 }),
    'no time of issue': without('iat'),
    'issued in the future': token({ iat: nowS + 3_600, exp: nowS + 4_000 }),
    'not valid yet': token({ nbf: nowS + 3_600 }),
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
  };
}
