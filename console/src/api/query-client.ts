import { QueryClient } from '@tanstack/react-query';
import { readServiceError } from '../errors/service-error.ts';

/** Reads are answered from what was read before for so long: each call counts against the caller's limit. */
const staleTimeMs = 15_000;
const retriesMax = 2;
const retryAfterMaxMs = 5_000;
const retryDelayMs = 400;

/** Reads are repeated where the catalogue says that it helps, and soon enough to wait for. Writes never are by themselves. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: staleTimeMs,
      refetchOnWindowFocus: false,
      retry(failureCount, error) {
        const { retry, retryAfterMs = 0 } = readServiceError(error);
        const isWorthIt = retry === 'now' || retry === 'after' || retry === 'reconnect';
        return failureCount < retriesMax && isWorthIt && retryAfterMs <= retryAfterMaxMs;
      },
      retryDelay: (attempt, error) => readServiceError(error).retryAfterMs ?? retryDelayMs * 2 ** attempt,
    },
    mutations: { retry: false },
  },
});
