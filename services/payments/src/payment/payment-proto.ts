import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  PaymentChangeSchema,
  type PaymentSchema,
  type PaymentChange as ProtoChange,
  PaymentStatus as ProtoStatus,
  PaymentType as ProtoType,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import { etagOf, type Payment, type PaymentStatus, type PaymentType } from './payment.ts';
import type { PaymentChange } from './payment-store.ts';

const statusToProto: Readonly<Record<PaymentStatus, ProtoStatus>> = {
  pending: ProtoStatus.PENDING,
  processing: ProtoStatus.PROCESSING,
  completed: ProtoStatus.COMPLETED,
  failed: ProtoStatus.FAILED,
  cancelled: ProtoStatus.CANCELLED,
  partially_refunded: ProtoStatus.PARTIALLY_REFUNDED,
  refunded: ProtoStatus.REFUNDED,
};
const statusByProto = new Map(Object.entries(statusToProto).map(([own, proto]) => [proto, own as PaymentStatus]));

const typeToProto: Readonly<Record<PaymentType, ProtoType>> = {
  instant: ProtoType.INSTANT,
  scheduled: ProtoType.SCHEDULED,
  recurring: ProtoType.RECURRING,
};
const typeByProto = new Map(Object.entries(typeToProto).map(([own, proto]) => [proto, own as PaymentType]));

export function paymentStatusToProto(status: PaymentStatus): ProtoStatus {
  return statusToProto[status];
}

export function paymentTypeToProto(type: PaymentType): ProtoType {
  return typeToProto[type];
}

/** Undefined only for what validation refuses. */
export function protoToPaymentStatus(status: ProtoStatus): PaymentStatus | undefined {
  return statusByProto.get(status);
}

export function protoToPaymentType(type: ProtoType): PaymentType | undefined {
  return typeByProto.get(type);
}

export function paymentToProto(payment: Payment): MessageInitShape<typeof PaymentSchema> {
  const { currencyCode } = payment;
  return {
    id: payment.id,
    type: typeToProto[payment.type],
    status: statusToProto[payment.status],
    amount: { currencyCode, minorUnits: payment.minorUnits },
    refundedAmount: { currencyCode, minorUnits: payment.refundedMinorUnits },
    senderId: payment.senderId,
    recipientId: payment.recipientId,
    description: payment.description,
    metadata: { ...payment.metadata },
    paymentMethodId: payment.paymentMethodId ?? '',
    ...optionalTime('scheduledAt', payment.scheduledTime),
    recurrence: payment.recurrence ?? '',
    timeZone: payment.timeZone ?? '',
    parentPaymentId: payment.parentPaymentId ?? '',
    pspTransactionId: payment.pspTransactionId ?? '',
    failureCode: payment.failureCode ?? '',
    failureReason: payment.failureReason ?? '',
    createTime: timestampToProto(payment.createTime),
    updateTime: timestampToProto(payment.updateTime),
    ...optionalTime('completeTime', payment.completeTime),
    etag: etagOf(payment),
  };
}

export function changeToProto(change: PaymentChange): ProtoChange {
  return create(PaymentChangeSchema, {
    fromStatus: change.fromStatus === null ? ProtoStatus.UNSPECIFIED : statusToProto[change.fromStatus],
    toStatus: statusToProto[change.toStatus],
    actorId: change.actorId ?? '',
    actorKind: change.actorKind,
    reason: change.reason,
    changedFields: [...change.changedFields],
    changeTime: timestampToProto(change.changeTime),
    version: change.version,
  });
}

function optionalTime<Name extends string>(name: Name, time: string | null) {
  return time === null ? {} : ({ [name]: timestampToProto(time) } as Record<Name, ReturnType<typeof timestampToProto>>);
}
