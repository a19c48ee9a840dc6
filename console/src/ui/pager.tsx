import type { Pages } from './use-pages.ts';

export function Pager({ pages, nextPageToken = '' }: { pages: Pages; nextPageToken: string | undefined }) {
  if (pages.number === 1 && nextPageToken === '') return null;
  return (
    <nav className="pager" aria-label="Pages of the list">
      <button type="button" disabled={pages.number === 1} onClick={pages.previous}>
        Previous
      </button>
      <span>Page {pages.number}</span>
      <button type="button" disabled={nextPageToken === ''} onClick={() => pages.next(nextPageToken)}>
        Next
      </button>
    </nav>
  );
}
