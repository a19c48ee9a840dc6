import { Code } from '@connectrpc/connect';
import { defineErrors } from '@strongroom/platform/errors';

export const errors = defineErrors('profile.strongroom', {
  AVATAR_TYPE_NOT_ALLOWED: {
    code: Code.InvalidArgument,
    status: 400,
    message: 'The picture must be a PNG, JPEG, WebP or GIF by its content.',
    retry: 'never',
    level: 'info',
  },
  AVATAR_NOT_FOUND: {
    code: Code.NotFound,
    status: 404,
    message: 'This user has no picture.',
    retry: 'never',
    level: 'info',
  },
  LEGAL_HOLD: {
    code: Code.FailedPrecondition,
    status: 409,
    message: 'The data are under a legal hold and can not be erased now.',
    retry: 'never',
    level: 'warn',
  },
});
