import { createConnectTransport } from '@connectrpc/connect-web';

/** Tokens go to the origin that served the console and are not carried along by a redirect to any other. */
const fetchOwnOrigin: typeof fetch = (input, init) =>
  fetch(input, { ...init, redirect: 'error', credentials: 'omit', cache: 'no-store' });

export const connection = { baseUrl: location.origin, fetch: fetchOwnOrigin } as const;

/** Without anybody's token: for signing in and for renewing the session. */
export const plainTransport = createConnectTransport(connection);
