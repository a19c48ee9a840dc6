import { equalConstantTime, hmacSha256 } from '@strongroom/platform/crypto';

/** What a stored password names about itself. */
export interface StoredPassword {
  readonly scheme: 'strongroom' | 'bcrypt';
  /** Id of the keyring's key that the pepper comes from. */
  readonly pepperId: string;
  readonly cost: number;
  readonly bcrypt: string;
}

/** `$strongroom$v=1$k=<key id>` before bcrypt's own `$2b$<cost>$…`: the scheme is named, so it can be replaced. */
const currentPattern = /^\$strongroom\$v=1\$k=([A-Za-z0-9._-]{1,64})(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})$/;
/** What an older system would have stored: accepted at sign-in, and replaced there. */
const plainPattern = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/**
 * HMAC-SHA-256 under a key that is not in the database, in base64. bcrypt reads 72 bytes and stops at NUL; this is 44
 * characters without NUL, so every byte of the password counts (ASVS V6.2.8, older fault 16).
 */
export function preHash(pepper: Uint8Array, password: string): string {
  return hmacSha256(pepper, Buffer.from(password, 'utf8')).toString('base64');
}

export function readStoredPassword(stored: string): StoredPassword | undefined {
  const current = currentPattern.exec(stored);
  if (current !== null) {
    const [, pepperId = '', bcrypt = '', cost = ''] = current;
    return { scheme: 'strongroom', pepperId, cost: Number(cost), bcrypt };
  }
  const plain = plainPattern.exec(stored);
  if (plain !== null) return { scheme: 'bcrypt', pepperId: '', cost: Number(plain[1]), bcrypt: stored };
  return undefined;
}

export function writeStoredPassword(pepperId: string, bcrypt: string): string {
  return `$strongroom$v=1$k=${pepperId}${bcrypt}`;
}

/** Whether sign-in should store it anew: another scheme, pepper or a lower cost than now. */
export function isOutdated(stored: StoredPassword, current: { pepperId: string; cost: number }): boolean {
  return stored.scheme !== 'strongroom' || stored.pepperId !== current.pepperId || stored.cost < current.cost;
}

/** Of two passwords given in one request. */
export function isSamePassword(a: string, b: string): boolean {
  return equalConstantTime(a, b);
}
