import { type PaymentMethod, PaymentMethodKind } from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { inWords } from '../ui/words.ts';

/** As its owner knows it: the brand and the last digits. */
export function methodName({ kind, brand, last4 }: PaymentMethod): string {
  const what = kind === PaymentMethodKind.CARD ? inWords(brand || 'card') : 'Bank account';
  return `${what} ending in ${last4}`;
}
