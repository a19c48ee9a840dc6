import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  PaymentMethodKind,
  type PaymentMethodSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import type { PaymentMethodRow } from './payment-method-store.ts';

export function paymentMethodToProto(method: PaymentMethodRow): MessageInitShape<typeof PaymentMethodSchema> {
  return {
    id: method.id,
    kind: method.kind === 'card' ? PaymentMethodKind.CARD : PaymentMethodKind.BANK_ACCOUNT,
    brand: method.brand,
    last4: method.last4,
    expMonth: method.expMonth ?? 0,
    expYear: method.expYear ?? 0,
    createTime: timestampToProto(method.createTime),
  };
}
