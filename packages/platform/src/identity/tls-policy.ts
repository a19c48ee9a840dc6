import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { PeerCertificate, SecureContextOptions } from 'node:tls';
import type { IdentityMaterial } from './service-identity.ts';
import { serviceNameOf } from './spiffe.ts';

/** TLS 1.2 with forward secrecy and AEAD only, and TLS 1.3 (ASVS V12.1.1, RFC 9325 section 4.2). */
const TLS_CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/** The hybrid with ML-KEM first, against who records today and decrypts in the age of quantum computers (ASVS V11.6.2). */
const TLS_GROUPS = 'X25519MLKEM768:X25519:prime256v1';

/** What every TLS listener and client of ours speaks, and nothing less. */
export const tlsPolicy = {
  minVersion: 'TLSv1.2',
  ciphers: TLS_CIPHERS,
  ecdhCurve: TLS_GROUPS,
  honorCipherOrder: true,
} as const satisfies SecureContextOptions & { ecdhCurve: string };

export function secureContextOptions(material: IdentityMaterial) {
  return { ...material, ...tlsPolicy };
}

/** For connections to PostgreSQL, Redis and NATS: with ENGINES_CA_FILE their certificates come from it and from nobody else. */
export function engineTlsOptions(caFile: string | undefined) {
  return { ...tlsPolicy, ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }) };
}

/**
 * For the client's end: the server is who its certificate's URI says, wherever its address points. Called by node:tls
 * after the chain has been verified.
 */
export function checkPeerIdentity(expectedName: string) {
  return (_host: string, peer: PeerCertificate): Error | undefined => {
    const found = serviceNameOf(new X509Certificate(peer.raw));
    return found === expectedName ? undefined : new Error(`the peer is not the service ${expectedName}`);
  };
}
