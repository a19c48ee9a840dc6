import { X509Certificate } from 'node:crypto';
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

export function secureContextOptions(material: IdentityMaterial): SecureContextOptions {
  return { ...material, minVersion: 'TLSv1.2', ciphers: TLS_CIPHERS, honorCipherOrder: true };
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
