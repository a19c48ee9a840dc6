import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  CheckExpiringRequest,
  CheckExpiringResponseSchema,
} from '@strongroom/gen/strongroom/auth/v1/secrets_pb.ts';
import type { Deps } from '../deps.ts';
import { signingKeyToProto } from './secret-proto.ts';
import { expiryWarningDays } from './signing-key.ts';

/** S3.1b: each key near its end is answered and logged as a warning; the metric follows from the refresh. */
export async function checkExpiring(
  deps: Deps,
  { withinDays }: CheckExpiringRequest,
): Promise<MessageInitShape<typeof CheckExpiringResponseSchema>> {
  await deps.signingKeys.refresh();
  const keys = deps.signingKeys.expiring(withinDays || expiryWarningDays);
  for (const { kid, expireTimeMs } of keys) {
    deps.logger.warn({ kid, expireTime: new Date(expireTimeMs).toISOString() }, 'a signing key expires soon');
  }
  return { keys: keys.map((key) => signingKeyToProto(key, Date.now())) };
}
