import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetReceiptResponse } from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type {
  GetPaymentReceiptRequest,
  GetPaymentReceiptResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { requireVisible } from '../payment/payment.ts';
import { findPayment } from '../payment/payment-store.ts';
import { isWaitingEvent } from './receipt-store.ts';

const retryAfterMs = 1_000;

/**
 * B-receipt: the proof that an act is in the log. Its record names the device of who acted, so that of a person's act is
 * for this person; those of the provider and of our own processes are for everyone who may see the payment.
 */
export async function getPaymentReceipt(
  deps: Pick<Deps, 'admin' | 'database'>,
  { id, eventId }: GetPaymentReceiptRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetPaymentReceiptResponseSchema>> {
  const { userId, role } = requirePrincipal(call);
  requireVisible({ userId, role }, await findPayment(deps.database, id));
  const receipt = await askLog(deps, eventId, call);
  const isOfPayment = receipt.source === 'payments' && receipt.resourceId === id;
  const isOwn = receipt.actorId === '' || receipt.actorId === userId || role === Role.ADMIN;
  if (!isOfPayment || !isOwn) throw errors.RECEIPT_NOT_FOUND();
  return { auditReceipt: receipt.tlogProof };
}

async function askLog(
  { admin, database }: Pick<Deps, 'admin' | 'database'>,
  eventId: string,
  call: Call,
): Promise<GetReceiptResponse> {
  // Before the log is asked: an event leaves the outbox only once the log has it.
  const isWaiting = await isWaitingEvent(database, eventId);
  try {
    return await admin.getReceipt({ eventId }, asService(call));
  } catch (cause) {
    if (isServiceError(cause, 'CHECKPOINT_PENDING')) throw errors.RECEIPT_PENDING({ cause, retryAfterMs });
    if (!isServiceError(cause, 'AUDIT_EVENT_NOT_FOUND')) throw cause;
    throw isWaiting ? errors.RECEIPT_PENDING({ cause, retryAfterMs }) : errors.RECEIPT_NOT_FOUND({ cause });
  }
}
