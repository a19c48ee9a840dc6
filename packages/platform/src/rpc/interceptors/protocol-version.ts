import { commonErrors } from '../../errors/index.ts';
import { isConnectTimeout } from '../timeout.ts';
import type { CallGuard } from './interceptor.ts';

const PROTOCOL_VERSION = '1';

/** Headers of the Connect protocol that are sent must be right; plain curl may leave them out. */
export const protocolGuard: CallGuard = (call) => {
  const version = call.headers['connect-protocol-version'];
  if (version !== undefined && version !== PROTOCOL_VERSION) throw commonErrors.MALFORMED_REQUEST();
  const timeout = call.headers['connect-timeout-ms'];
  if (timeout !== undefined && (typeof timeout !== 'string' || !isConnectTimeout(timeout))) {
    throw commonErrors.MALFORMED_REQUEST();
  }
};
