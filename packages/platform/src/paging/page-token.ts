import { equalConstantTime, hmacSha256, type Keyring, sha256 } from '../crypto/index.ts';
import { commonErrors } from '../errors/index.ts';

const macBytes = 16;

/** Everything that a token counts for: which list, who asks, for what, in which order. Fault 28: a key that left one out. */
export type PageScope = readonly (string | undefined)[];

/** Where a page begins: the values of the last row before it by which the list is ordered. */
export type PagePosition = readonly string[];

export type PageKeys = Pick<Keyring, 'keyIds' | 'subkey'>;

/** Signed with its scope, so that it opens no other caller's or filter's list. */
export function sealPosition(keys: PageKeys, scope: PageScope, position: PagePosition): string {
  const body = Buffer.from(JSON.stringify(position), 'utf8');
  return Buffer.concat([macOf(keys.subkey('cursor'), scope, body), body]).toString('base64url');
}

/** The position in a token of the same scope; undefined for the first page. Throws PAGE_TOKEN_INVALID. */
export function openPosition(keys: PageKeys, scope: PageScope, token: string): PagePosition | undefined {
  if (token === '') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const mac = bytes.subarray(0, macBytes);
  const body = bytes.subarray(macBytes);
  const isGenuine = (keyId: string) => equalConstantTime(mac, macOf(keys.subkey('cursor', keyId), scope, body));
  // Whoever turns pages while the master key is changed goes on (F32).
  if (!keys.keyIds.some(isGenuine)) throw commonErrors.PAGE_TOKEN_INVALID();
  return JSON.parse(body.toString('utf8')) as string[];
}

function macOf(key: Buffer, scope: PageScope, body: Buffer): Buffer {
  const scopeHash = sha256(JSON.stringify(scope.map((part) => part ?? null)));
  return hmacSha256(key, Buffer.concat([scopeHash, body])).subarray(0, macBytes);
}
