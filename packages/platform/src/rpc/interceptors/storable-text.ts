import { DataClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import { compileTextWalk, fieldPolicy } from '../message-text.ts';
import type { RequestInterceptor } from './interceptor.ts';

/**
 * PostgreSQL stores neither NUL nor half a surrogate pair. A text with one is refused here, by its field: in a statement it would be
 * an internal error (ASVS V1.3.3). What sanitation treats has lost them already, and a secret is hashed, never stored: a password
 * may hold anything (V6.2.8).
 */
export const storableTextInterceptor: RequestInterceptor = (method) =>
  compileTextWalk(method.input, (field) => {
    if (fieldPolicy(field)?.data === DataClass.SECRET) return undefined;
    return (text) => {
      if (!text.includes('\0') && text.isWellFormed()) return text;
      const violation = {
        field: field.name,
        rule: 'string.storable',
        message: 'must not hold NUL or half a character',
      };
      throw commonErrors.VALIDATION_FAILED({ violations: [violation] });
    };
  });
