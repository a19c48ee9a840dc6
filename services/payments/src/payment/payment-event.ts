import type { NewEvent } from '@strongroom/platform/outbox';
import type { Payment } from './payment.ts';

type PaymentAction = Extract<NewEvent['action'], `PAYMENT_${string}`>;

/** What the audit log learns: ids, states and amounts. The description is the sender's and stays out (fault 37). */
export function paymentEvent(
  action: PaymentAction,
  payment: Pick<Payment, 'id' | 'currencyCode' | 'minorUnits' | 'senderId' | 'recipientId' | 'status' | 'type'>,
  details: Readonly<Record<string, string>> = {},
): NewEvent {
  return {
    action,
    resourceType: 'payment',
    resourceId: payment.id,
    subjectId: payment.senderId,
    details: {
      type: payment.type,
      status: payment.status,
      currencyCode: payment.currencyCode,
      minorUnits: String(payment.minorUnits),
      recipientId: payment.recipientId,
      ...details,
    },
  };
}
