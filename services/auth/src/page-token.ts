import { equalConstantTime, hmacSha256, type Keyring } from '@strongroom/platform/crypto';
import { commonErrors } from '@strongroom/platform/errors';

/** Where the next page begins. */
export interface PageCursor {
  readonly value: string;
  readonly id: string;
}

export const pageSizeDefault = 20;

/** Opaque, and good only for the query and the caller that got it (contract.md). */
export function encodePageToken(keyring: Keyring, scope: readonly string[], cursor: PageCursor): string {
  const body = Buffer.from(JSON.stringify([cursor.value, cursor.id]));
  return Buffer.concat([macOf(keyring, keyring.activeKeyId, scope, body), body]).toString('base64url');
}

/** Undefined for the first page; throws PAGE_TOKEN_INVALID for a token of another query. */
export function readPageToken(keyring: Keyring, scope: readonly string[], token: string): PageCursor | undefined {
  if (token === '') return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const [mac, body] = [bytes.subarray(0, 32), bytes.subarray(32)];
  const isOurs = keyring.keyIds.some((keyId) => equalConstantTime(mac, macOf(keyring, keyId, scope, body)));
  if (!isOurs) throw commonErrors.PAGE_TOKEN_INVALID();
  const [value, id] = JSON.parse(body.toString('utf8')) as [string, string];
  return { value, id };
}

/** The rows of a page out of one row more than it, and the token of the next if there is one. */
export function pageOf<Row>(
  rows: readonly Row[],
  pageSize: number,
  tokenOf: (last: Row) => string,
): { readonly rows: readonly Row[]; readonly nextPageToken: string } {
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return { rows: page, nextPageToken: rows.length > pageSize && last !== undefined ? tokenOf(last) : '' };
}

function macOf(keyring: Keyring, keyId: string, scope: readonly string[], body: Uint8Array): Buffer {
  return hmacSha256(keyring.subkey('cursor', keyId), Buffer.concat([Buffer.from(JSON.stringify(scope)), body]));
}
