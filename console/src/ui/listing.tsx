import type { ReactNode } from 'react';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { readServiceError } from '../errors/service-error.ts';
import { Loading } from './loading.tsx';

interface Reading<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly isFetching: boolean;
  refetch(): unknown;
}

/** What is read, in its three states: on its way, refused, there. What is there stays while it is read again. */
export function Listing<Data>({
  what,
  query,
  children,
}: {
  what: string;
  query: Reading<Data>;
  children(data: Data): ReactNode;
}) {
  const { data, error, isFetching, refetch } = query;
  return (
    <>
      {error !== null && error !== undefined && (
        <>
          <ErrorNotice error={error} />
          {readServiceError(error).retry !== 'never' && (
            <button type="button" disabled={isFetching} onClick={() => refetch()}>
              Try again
            </button>
          )}
        </>
      )}
      {data !== undefined ? children(data) : (error === null || error === undefined) && <Loading what={what} />}
    </>
  );
}
