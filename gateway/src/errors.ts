import { Code } from '@connectrpc/connect';
import { defineErrors } from '@strongroom/platform/errors';

/** What the edge refuses by itself (B-errors); everything else is in the services' catalogues and the common one. */
export const gatewayErrors = defineErrors('gateway.strongroom', {
  ROUTE_NOT_FOUND: {
    code: Code.Unimplemented,
    status: 404,
    message: 'There is nothing at this address.',
    retry: 'never',
    level: 'info',
  },
  METHOD_NOT_ALLOWED: {
    code: Code.Unimplemented,
    status: 405,
    message: 'This address does not take this method; Allow lists those it takes.',
    retry: 'never',
    level: 'info',
  },
  VERSION_NOT_SUPPORTED: {
    code: Code.Unimplemented,
    status: 406,
    message: 'There is no such version of the API.',
    retry: 'never',
    level: 'info',
  },
  REQUEST_TIMEOUT: {
    code: Code.DeadlineExceeded,
    status: 408,
    message: 'The request did not arrive in time.',
    retry: 'now',
    level: 'info',
  },
  URI_TOO_LONG: {
    code: Code.InvalidArgument,
    status: 414,
    message: 'The address is longer than 8 KB.',
    retry: 'never',
    level: 'info',
  },
  EXPECTATION_FAILED: {
    code: Code.InvalidArgument,
    status: 417,
    message: 'Only Expect: 100-continue can be met.',
    retry: 'never',
    level: 'info',
  },
  HEADERS_TOO_LARGE: {
    code: Code.ResourceExhausted,
    status: 431,
    message: 'The header fields are larger than 16 KB, or more than 100.',
    retry: 'never',
    level: 'info',
  },
  TOO_MANY_STREAMS: {
    code: Code.ResourceExhausted,
    status: 429,
    message: 'Too many streams are open.',
    retry: 'after',
    level: 'info',
  },
});
