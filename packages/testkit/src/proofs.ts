import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';

/** What a DPoP proof says (RFC 9449 section 4.2), with whatever a test wants it to say in place of the truth. */
export interface ProofParts {
  readonly method?: string;
  /** The address that is called, without query and fragment. */
  readonly url: string;
  /** The access token that goes with it: claim ath. */
  readonly token?: string | undefined;
  readonly header?: object;
  readonly claims?: object;
}

export interface ProofKey {
  /** RFC 7638; claim cnf.jkt of the tokens that are bound to the key. */
  readonly thumbprint: string;
  readonly privateJwk: JWK;
  /** A new proof, signed by the key. */
  proof(parts: ProofParts): string;
}

/** The key of a client that wants its tokens bound to it. */
export async function createProofKey(algorithm: 'ES256' | 'EdDSA' = 'ES256'): Promise<ProofKey> {
  const isElliptic = algorithm === 'ES256';
  const { privateKey, publicKey } = isElliptic
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' }) as JWK;
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    privateJwk: privateKey.export({ format: 'jwk' }) as JWK,
    proof({ method = 'POST', url, token, header = {}, claims = {} }) {
      const ath = token === undefined ? undefined : createHash('sha256').update(token).digest('base64url');
      const parts = [
        { typ: 'dpop+jwt', alg: algorithm, jwk, ...header },
        { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), ath, ...claims },
      ];
      const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const };
      const signature = sign(isElliptic ? 'sha256' : null, Buffer.from(signed), key);
      return `${signed}.${signature.toString('base64url')}`;
    },
  };
}
