import { openPosition, type PageKeys, type PagePosition, type PageScope, sealPosition } from './page-token.ts';

const pageSizeDefault = 20;
const pageSizeMax = 100;

/** What to ask a store for. */
export interface PageBounds {
  /** Where the page before it ended; undefined for the first. */
  readonly after: PagePosition | undefined;
  /** One row more than the page holds, which tells whether there is a next one. */
  readonly rowsMax: number;
}

export interface Page extends PageBounds {
  /**
   * What the caller gets of the rows that the store found. `reached` is where the store stopped looking, if that is before the
   * end of the list: such a page may be short, and there is a next one.
   */
  cut<Row>(
    found: readonly Row[],
    positionOf: (row: Row) => PagePosition,
    reached?: PagePosition,
  ): { readonly rows: Row[]; readonly nextPageToken: string };
}

/** The page that a request asks for: 0 rows mean the default. Throws PAGE_TOKEN_INVALID for the token of another scope. */
export function requestedPage(
  keys: PageKeys,
  scope: PageScope,
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
): Page {
  const size = pageSize === 0 ? pageSizeDefault : Math.min(pageSize, pageSizeMax);
  return {
    after: openPosition(keys, scope, pageToken),
    rowsMax: size + 1,
    cut(found, positionOf, reached) {
      const rows = found.slice(0, size);
      const last = found.length > size ? rows.at(-1) : undefined;
      const end = last === undefined ? reached : positionOf(last);
      return { rows, nextPageToken: end === undefined ? '' : sealPosition(keys, scope, end) };
    },
  };
}
