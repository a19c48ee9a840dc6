import { equalConstantTime, hmacSha256, type Keyring, sha256 } from '@strongroom/platform/crypto';
import { commonErrors } from '@strongroom/platform/errors';

export const pageSizeDefault = 20;
export const pageSizeMax = 100;
const macBytes = 16;

/** 0 means the default; validation keeps it at 100 or below. */
export function pageSizeOf(pageSize: number): number {
  return pageSize === 0 ? pageSizeDefault : Math.min(pageSize, pageSizeMax);
}

/** Everything that the token counts for: who asks, for what, in which order. Fault 28: a key that left one out. */
export type PageScope = readonly (string | undefined)[];

/** Where the next page begins. Signed with its scope, so that it opens no other caller's or filter's list. */
export function pageToken(keyring: Keyring, scope: PageScope, position: readonly string[]): string {
  const body = Buffer.from(JSON.stringify(position), 'utf8');
  return Buffer.concat([macOf(keyring.subkey('cursor'), scope, body), body]).toString('base64url');
}

/** The position in a token of the same scope; undefined for the first page. */
export function readPageToken(keyring: Keyring, scope: PageScope, token: string): readonly string[] | undefined {
  if (token === '') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const mac = bytes.subarray(0, macBytes);
  const body = bytes.subarray(macBytes);
  const isGenuine = (keyId: string) => equalConstantTime(mac, macOf(keyring.subkey('cursor', keyId), scope, body));
  // Whoever turns pages while the master key is changed goes on (F32).
  if (bytes.length <= macBytes || !keyring.keyIds.some(isGenuine)) throw commonErrors.PAGE_TOKEN_INVALID();
  return JSON.parse(body.toString('utf8')) as string[];
}

function macOf(key: Buffer, scope: PageScope, body: Buffer): Buffer {
  const scopeHash = sha256(JSON.stringify(scope.map((part) => part ?? null)));
  return hmacSha256(key, Buffer.concat([scopeHash, body])).subarray(0, macBytes);
}

/** One row more than asked for tells whether there is a next page. */
export function splitPage<Row>(rows: readonly Row[], size: number): { page: Row[]; last: Row | undefined } {
  const page = rows.slice(0, size);
  return { page, last: rows.length > size ? page.at(-1) : undefined };
}
