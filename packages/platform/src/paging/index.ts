export { type Page, type PageBounds, requestedPage } from './page.ts';
export type { PageKeys, PagePosition, PageScope } from './page-token.ts';
