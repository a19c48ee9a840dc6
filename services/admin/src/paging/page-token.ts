import { equalConstantTime, hmacSha256, sha256 } from '@strongroom/platform/crypto';
import { commonErrors } from '@strongroom/platform/errors';
import { type CanonicalValue, canonicalJson } from '@strongroom/tlog';

const macBytes = 16;
const pageSizeDefault = 20;
export const pageSizeMax = 100;

/** What a token is good for: this list, asked by this person, with this filter and order. */
export interface PageScope {
  readonly list: string;
  readonly callerId: string;
  readonly filter: CanonicalValue;
}

export interface PageTokens {
  /** The token of what stands after `position`. */
  seal(scope: PageScope, position: string): string;
  /** The position; undefined for the first page. Throws PAGE_TOKEN_INVALID for a token of anything else. */
  open(scope: PageScope, token: string): string | undefined;
}

export function createPageTokens(key: Uint8Array): PageTokens {
  const mac = (scope: PageScope, position: string) =>
    hmacSha256(key, canonicalJson({ ...scope, position, filter: sha256(canonicalJson(scope.filter)).toString('hex') }));
  return {
    seal(scope, position) {
      return Buffer.concat([mac(scope, position).subarray(0, macBytes), Buffer.from(position, 'utf8')]).toString(
        'base64url',
      );
    },
    open(scope, token) {
      if (token === '') return undefined;
      const bytes = Buffer.from(token, 'base64url');
      const position = bytes.subarray(macBytes).toString('utf8');
      const isOurs =
        position.isWellFormed() &&
        bytes.toString('base64url') === token &&
        equalConstantTime(bytes.subarray(0, macBytes), mac(scope, position).subarray(0, macBytes));
      if (!isOurs) throw commonErrors.PAGE_TOKEN_INVALID();
      return position;
    },
  };
}

export function pageSizeOf(pageSize: number): number {
  return pageSize === 0 ? pageSizeDefault : Math.min(pageSize, pageSizeMax);
}
