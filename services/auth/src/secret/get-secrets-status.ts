import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  GetSecretsStatusRequest,
  GetSecretsStatusResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { signingKeyToProto } from './secret-proto.ts';

/** S3.3b: looking is recorded too. */
export async function getSecretsStatus(
  deps: Deps,
  _request: GetSecretsStatusRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetSecretsStatusResponseSchema>> {
  await deps.signingKeys.refresh();
  const act = actOf(call);
  await deps.database.transaction(act, (tx) =>
    appendEvent(tx, act, {
      action: 'SECRET_ACCESSED',
      resourceType: 'secret',
      resourceId: 'signing-keys',
      details: { operation: 'status', outcome: 'ok' },
    }),
  );
  return { keys: deps.signingKeys.list().map((key) => signingKeyToProto(key, Date.now())) };
}
