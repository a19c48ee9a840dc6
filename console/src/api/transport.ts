import { createConnectTransport } from '@connectrpc/connect-web';
import { authentication } from './authentication.ts';
import { connection } from './plain-transport.ts';
import { stepUp } from './step-up.ts';

/** Whoever is signed in here; asks for a step-up where a call needs one, then makes the call again. */
export const transport = createConnectTransport({ ...connection, interceptors: [stepUp, authentication] });
