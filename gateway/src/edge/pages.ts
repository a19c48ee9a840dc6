import { isPercentEncoded } from './percent.ts';

/** Addresses that the edge answers by itself. Everything else is a REST route, an RPC, or nothing. */
const pages: ReadonlySet<string> = new Set([
  '/livez',
  '/readyz',
  '/healthz',
  '/openapi.json',
  '/.well-known/jwks.json',
  '/reference',
  '/console',
]);
/** The verifiable log's files: a prefix of their own for tools that read any C2SP log, and one beside the rest of the API. */
export const logPrefixes = ['/tlog/', '/api/v1/tlog/'] as const;
const folders = ['/reference/', '/console/', ...logPrefixes] as const;

/** Where every other request is sent inside the router, so that it never reads a path that our own matching must read. */
export const dispatchPath = '/@dispatch';
export const pageAllow = 'GET, HEAD, OPTIONS';

export function isPage(path: string): boolean {
  return (pages.has(path) || folders.some((folder) => path.startsWith(folder))) && isPercentEncoded(path);
}

/** Label of a page in metrics: its folder at most. */
export function pageLabel(path: string): string {
  const folder = folders.find((one) => path.startsWith(one));
  return folder === undefined ? path : `${folder}*`;
}
