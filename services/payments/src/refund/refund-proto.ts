import type { MessageInitShape } from '@bufbuild/protobuf';
import { RefundStatus as ProtoStatus, type RefundSchema } from '@strongroom/gen/strongroom/payments/v1/refund_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { Refund, RefundStatus } from './refund.ts';

const statusToProto: Readonly<Record<RefundStatus, ProtoStatus>> = {
  processing: ProtoStatus.PROCESSING,
  completed: ProtoStatus.COMPLETED,
  failed: ProtoStatus.FAILED,
};

export function refundToProto(refund: Refund): MessageInitShape<typeof RefundSchema> {
  return {
    id: refund.id,
    paymentId: refund.paymentId,
    amount: { currencyCode: refund.currencyCode, minorUnits: refund.minorUnits },
    status: statusToProto[refund.status],
    reason: refund.reason,
    actorId: refund.actorId,
    createTime: timestampToProto(refund.createTime),
    ...(refund.completeTime === null ? {} : { completeTime: timestampToProto(refund.completeTime) }),
  };
}
