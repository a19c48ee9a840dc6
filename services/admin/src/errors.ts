import { Code } from '@connectrpc/connect';
import { defineErrors } from '@strongroom/platform/errors';

/** What admin may answer beside the common errors. */
export const errors = defineErrors('admin.strongroom', {
  AUDIT_EVENT_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no such record in the audit log.',
    retry: 'never',
    level: 'info',
  },
  CHECKPOINT_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no checkpoint of this size.',
    retry: 'never',
    level: 'info',
  },
  CHECKPOINT_PENDING: {
    code: Code.Unavailable,
    status: 503,
    message: 'The record is in the log, but no checkpoint that counts covers it yet.',
    retry: 'after',
    level: 'warn',
  },
  LOG_INCONSISTENT: {
    code: Code.DataLoss,
    status: 500,
    message: 'The stored log does not agree with its checkpoints.',
    retry: 'never',
    level: 'error',
  },
  TILE_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no such file of the log.',
    retry: 'never',
    level: 'info',
  },
  USER_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no such user.',
    retry: 'never',
    level: 'info',
  },
  TOO_MANY_WATCHERS: {
    code: Code.ResourceExhausted,
    status: 429,
    message: 'Too many watch the audit log already.',
    retry: 'after',
    level: 'warn',
  },
  REPORT_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no such report.',
    retry: 'never',
    level: 'info',
  },
  REPORT_TOO_LARGE: {
    code: Code.FailedPrecondition,
    status: 422,
    message: 'The period holds more records than one report can: choose a shorter one.',
    retry: 'never',
    level: 'info',
  },
  FLAG_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no such flag.',
    retry: 'never',
    level: 'info',
  },
  ANOMALY_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'There is no such anomaly.',
    retry: 'never',
    level: 'info',
  },
  ANOMALY_ALREADY_RESOLVED: {
    code: Code.FailedPrecondition,
    status: 409,
    message: 'The anomaly was resolved otherwise before.',
    retry: 'never',
    level: 'info',
  },
  LEGAL_HOLD_ACTIVE: {
    code: Code.FailedPrecondition,
    status: 409,
    message: 'The data of this person are held and can not be erased.',
    retry: 'never',
    level: 'warn',
  },
  LEGAL_HOLD_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'The data of this person are not held.',
    retry: 'never',
    level: 'info',
  },
});
