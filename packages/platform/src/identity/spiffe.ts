import type { X509Certificate } from 'node:crypto';

/** Trust domain and path of a service (SPIFFE-ID, section 2). */
const SPIFFE_PREFIX = 'spiffe://strongroom/service/';
const SERVICE_NAME_PATTERN = /^[a-z][a-z0-9-]{0,62}$/;
/** One entry of subjectAltName as Node prints it; a value with a comma or quote would be printed in quotes. */
const URI_ENTRY_PATTERN = /^URI:([\x21-\x7e]+)$/;

export function serviceUri(name: string): string {
  if (!SERVICE_NAME_PATTERN.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a service`);
  return SPIFFE_PREFIX + name;
}

/**
 * The service that a verified certificate names. A certificate with no URI, or with more than one, names nobody
 * (X509-SVID, section 2: exactly one URI).
 */
export function serviceNameOf(certificate: X509Certificate): string | undefined {
  const entries = certificate.subjectAltName?.split(', ') ?? [];
  const uris = entries.filter((entry) => entry.startsWith('URI:'));
  if (uris.length !== 1) return undefined;
  const uri = URI_ENTRY_PATTERN.exec(uris[0] ?? '')?.[1];
  if (uri === undefined || !uri.startsWith(SPIFFE_PREFIX)) return undefined;
  const name = uri.slice(SPIFFE_PREFIX.length);
  return SERVICE_NAME_PATTERN.test(name) ? name : undefined;
}
