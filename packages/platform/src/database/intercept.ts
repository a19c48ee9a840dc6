import type { ISql } from './types.ts';

/** What postgres.js 3.4.9 keeps in a query before it runs; pinned exactly because of this (see `interceptSql`). */
export interface PendingQuery {
  readonly tagged: boolean;
  readonly strings: readonly string[];
  readonly args: readonly unknown[];
  readonly active: boolean;
  cancelled: unknown;
  handler: (query: PendingQuery) => unknown;
  canceller: ((query: PendingQuery) => Promise<unknown>) | null;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  cursor: (...parts: unknown[]) => unknown;
}

/** Runs a query when it is its turn, by calling `start`. */
export type Dispatch = (query: PendingQuery, start: () => void) => void;

/**
 * postgres.js has no hook around a query, and subclassing its promise would change its API. A query is lazy: it hands
 * itself to its `handler` when it is awaited, and a fragment inside another query never does. So the handler is what is
 * exchanged, and everything that postgres.js offers stays as documented.
 */
export function interceptSql<S extends ISql>(client: S, dispatch: Dispatch): S {
  const intercept = <T>(made: T): T => {
    const query = made as unknown as PendingQuery;
    if (typeof query !== 'object' || query === null || typeof query.handler !== 'function') return made;
    const handler = query.handler;
    query.handler = (self) => dispatch(self, () => handler.call(self, self));
    return made;
  };
  // biome-ignore lint/suspicious/noExplicitAny: the overloads of a tagged template are passed on as they are.
  const call = client as unknown as (...parts: any[]) => unknown;
  // biome-ignore lint/suspicious/noExplicitAny: the same.
  const intercepted = (...parts: any[]) => intercept(call(...parts));
  Object.assign(intercepted, client, {
    // biome-ignore lint/suspicious/noExplicitAny: the same.
    unsafe: (...parts: any[]) => intercept((client.unsafe as (...all: any[]) => unknown)(...parts)),
    // JSON goes in as text, so the client's own serializer must not quote it a second time.
    json: (value: unknown) => client.typed(JSON.stringify(value) as never, jsonbOid),
  });
  return intercepted as unknown as S;
}

const jsonbOid = 3802;

/** Calls `settled` once, when the query is resolved or rejected, and lets it replace the error. */
export function onSettled(query: PendingQuery, settled: (error: unknown, result: unknown) => unknown): void {
  const { resolve, reject } = query;
  let isSettled = false;
  query.resolve = (result) => {
    if (!isSettled) {
      isSettled = true;
      settled(undefined, result);
    }
    resolve(result);
  };
  query.reject = (error) => {
    if (isSettled) {
      reject(error);
      return;
    }
    isSettled = true;
    reject(settled(error, undefined) ?? error);
  };
}

/** Asks the server to cancel a running query. A cancel that fails changes nothing: statement_timeout still holds. */
export function cancelQuery(query: PendingQuery): void {
  if (!query.active || query.canceller === null) return;
  const cancel = query.canceller;
  query.canceller = null;
  cancel(query).catch(() => undefined);
}
