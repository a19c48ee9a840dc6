import type { DescField, Message } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { IdempotencyKey } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import type { ServerCall } from '../server-call.ts';
import type { RequestInterceptor } from './interceptor.ts';

const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;
export const idempotencyKeyHeader = 'idempotency-key';
const REQUEST_ID_FIELD = 'request_id';

/** The header Idempotency-Key and the field request_id are one namespace (B-idem). */
export const idempotencyKeyInterceptor: RequestInterceptor = (method, policy) => {
  if (policy.idempotencyKey === IdempotencyKey.UNSPECIFIED) return undefined;
  const isRequired = policy.idempotencyKey === IdempotencyKey.REQUIRED;
  const field = method.input.fields.find(({ name, scalar }) => name === REQUEST_ID_FIELD && scalar !== undefined);
  return (request, call) => {
    const sent = headerOf(call);
    const named = fieldOf(field, request);
    if (sent !== undefined && named !== undefined && sent !== named) throw commonErrors.IDEMPOTENCY_KEY_CONFLICT();
    const key = sent ?? named;
    if (key === undefined) {
      if (isRequired) throw commonErrors.IDEMPOTENCY_KEY_REQUIRED();
      return;
    }
    if (!KEY_PATTERN.test(key)) throw commonErrors.IDEMPOTENCY_KEY_INVALID();
    call.idempotencyKey = key;
  };
};

function headerOf(call: ServerCall): string | undefined {
  const value = call.headers[idempotencyKeyHeader];
  if (Array.isArray(value)) throw commonErrors.IDEMPOTENCY_KEY_INVALID();
  return value;
}

function fieldOf(field: DescField | undefined, request: Message): string | undefined {
  if (field === undefined) return undefined;
  const value = reflect(field.parent, request).get(field);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
