import { Code } from '@connectrpc/connect';
import { defineErrors } from './catalogue.ts';

/** What every process of the system may answer. */
export const commonErrors = defineErrors('strongroom', {
  // The request itself.
  VALIDATION_FAILED: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'The request breaks the rules of its fields.',
    retry: 'never',
    level: 'info',
  },
  MALFORMED_REQUEST: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'The request can not be read.',
    retry: 'never',
    level: 'info',
  },
  CARD_NUMBER_NOT_ALLOWED: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'A card number may only be sent to AddPaymentMethod.',
    retry: 'never',
    level: 'warn',
  },
  BODY_TOO_LARGE: {
    code: Code.ResourceExhausted,
    status: 413,
    message: 'The request is larger than this method allows.',
    retry: 'never',
    level: 'info',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    code: Code.InvalidArgument,
    status: 415,
    message: 'The content type or encoding is not supported.',
    retry: 'never',
    level: 'info',
  },
  UNSUPPORTED_ENCODING: {
    code: Code.Unimplemented,
    status: 415,
    message: 'The compression of the request is not supported.',
    retry: 'never',
    level: 'info',
  },
  METHOD_NOT_FOUND: {
    code: Code.Unimplemented,
    status: 404,
    message: 'There is no such method.',
    retry: 'never',
    level: 'info',
  },
  SWITCHED_OFF: {
    code: Code.Unavailable,
    status: 503,
    message: 'An administrator has switched this off for now.',
    retry: 'never',
    level: 'warn',
  },
  NOT_YET_BUILT: {
    code: Code.Unimplemented,
    status: 501,
    message: 'This method is not built yet.',
    retry: 'never',
    level: 'warn',
  },
  PAGE_TOKEN_INVALID: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'The page token is not one that this query was given.',
    retry: 'never',
    level: 'info',
  },

  // Who asks.
  UNAUTHENTICATED: {
    code: Code.Unauthenticated,
    status: 401,
    message: 'An access token is needed.',
    retry: 'never',
    level: 'info',
  },
  TOKEN_INVALID: {
    code: Code.Unauthenticated,
    status: 401,
    message: 'The access token is not valid.',
    retry: 'never',
    level: 'warn',
  },
  TOKEN_EXPIRED: {
    code: Code.Unauthenticated,
    status: 401,
    message: 'The access token has expired.',
    retry: 'never',
    level: 'info',
  },
  TOKEN_REVOKED: {
    code: Code.Unauthenticated,
    status: 401,
    message: 'The access token was revoked.',
    retry: 'never',
    level: 'warn',
  },
  FORBIDDEN: {
    code: Code.PermissionDenied,
    status: 403,
    message: 'This is not allowed to you.',
    retry: 'never',
    level: 'warn',
  },
  STEP_UP_REQUIRED: {
    code: Code.PermissionDenied,
    status: 403,
    message: 'A stronger or more recent authentication is needed.',
    retry: 'never',
    level: 'info',
  },
  PASSWORD_CHANGE_REQUIRED: {
    code: Code.PermissionDenied,
    status: 403,
    message: 'The password must be changed first.',
    retry: 'never',
    level: 'info',
  },

  // Idempotency (B-idem).
  IDEMPOTENCY_KEY_REQUIRED: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'This method needs an idempotency key.',
    retry: 'never',
    level: 'info',
  },
  IDEMPOTENCY_KEY_INVALID: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'The idempotency key must be 1 to 255 visible ASCII characters.',
    retry: 'never',
    level: 'info',
  },
  IDEMPOTENCY_KEY_CONFLICT: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'The header Idempotency-Key and the field request_id are both sent and differ.',
    retry: 'never',
    level: 'info',
  },
  IDEMPOTENCY_KEY_REUSED: {
    code: Code.InvalidArgument,
    status: 422,
    message: 'The idempotency key was used for another request.',
    retry: 'new-key',
    level: 'info',
  },
  IDEMPOTENCY_IN_PROGRESS: {
    code: Code.Aborted,
    status: 409,
    message: 'The first request with this idempotency key is still running.',
    retry: 'after',
    level: 'info',
  },

  // The state of what is asked for.
  NOT_FOUND: { code: Code.NotFound, status: 404, message: 'There is no such thing.', retry: 'never', level: 'info' },
  ETAG_MISMATCH: {
    code: Code.Aborted,
    status: 412,
    message: 'The resource has changed since it was read.',
    retry: 'never',
    level: 'info',
  },
  CONFLICT: {
    code: Code.Aborted,
    status: 409,
    message: 'The request met another one on the same resource.',
    retry: 'now',
    level: 'info',
  },

  // The state of the system.
  RATE_LIMITED: {
    code: Code.ResourceExhausted,
    status: 429,
    message: 'Too many requests.',
    retry: 'after',
    level: 'info',
  },
  OVERLOADED: {
    code: Code.Unavailable,
    status: 503,
    message: 'The service is at its limit.',
    retry: 'after',
    level: 'warn',
  },
  UNAVAILABLE: {
    code: Code.Unavailable,
    status: 503,
    message: 'The service can not answer now.',
    retry: 'after',
    level: 'warn',
  },
  DEADLINE_EXCEEDED: {
    code: Code.DeadlineExceeded,
    status: 504,
    message: 'The time allowed for the request is over.',
    retry: 'now',
    level: 'warn',
  },
  CANCELED: {
    code: Code.Canceled,
    status: 499,
    message: 'The caller went away.',
    retry: 'now',
    level: 'info',
  },
  INTERNAL: {
    code: Code.Internal,
    status: 500,
    message: 'Something went wrong here; it has been recorded.',
    retry: 'never',
    level: 'error',
  },
});
