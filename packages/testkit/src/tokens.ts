import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import {
  type Authenticator,
  createAuthenticator,
  createStaticKeys,
  type KeySource,
  type RevocableToken,
} from '@strongroom/platform/identity';

const issuer = 'https://strongroom.test';
const audience = 'strongroom';
const kid = 'test-key';
const lifeS = 900;

export interface TestToken {
  readonly userId?: string;
  readonly role?: 'CUSTOMER' | 'VENDOR' | 'ADMIN';
  /** Seconds since the person last authenticated. */
  readonly authenticationAgeS?: number;
  /** Claims in place of, or beside, the ordinary ones. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export interface TestTokens {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: KeySource;
  /** Verifies as the services do; revoked is what `revoke` was told. */
  readonly authenticator: Authenticator;
  /** An access token, as auth would sign it. */
  token(wanted?: TestToken): string;
  revoke(userId: string): void;
}

/** Access tokens for tests of services that don't run auth. */
export function createTestTokens(): TestTokens {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const material = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keys = createStaticKeys([{ kid, algorithm: 'EdDSA', material }]);
  const revoked = new Set<string>();
  const revocation = { isRevoked: async ({ userId }: RevocableToken) => revoked.has(userId) };
  return {
    issuer,
    audience,
    keys,
    authenticator: createAuthenticator({ keys, revocation, issuer, audience }),
    revoke: (userId) => void revoked.add(userId),
    token({ userId = randomUUID(), role = 'CUSTOMER', authenticationAgeS = 0, claims = {} } = {}) {
      const nowS = Math.floor(Date.now() / 1000);
      const header = { alg: 'EdDSA', typ: 'at+jwt', kid };
      const payload = {
        iss: issuer,
        aud: audience,
        sub: userId,
        sid: randomUUID(),
        jti: randomUUID(),
        role,
        amr: ['pwd'],
        auth_time: nowS - authenticationAgeS,
        iat: nowS,
        exp: nowS + lifeS,
        ...claims,
      };
      const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
}
