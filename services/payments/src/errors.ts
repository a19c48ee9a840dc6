import { Code } from '@connectrpc/connect';
import { defineErrors } from '@strongroom/platform/errors';

const missing = { code: Code.NotFound, status: 404, retry: 'never', level: 'info' } as const;
const invalid = { code: Code.InvalidArgument, status: 400, retry: 'never', level: 'info' } as const;
const conflict = { code: Code.FailedPrecondition, status: 409, retry: 'never', level: 'info' } as const;

/** What payments may answer beyond the common errors. */
export const errors = defineErrors('payments.strongroom', {
  // One answer for what isn't there and what isn't the caller's, so that ids can't be probed.
  PAYMENT_NOT_FOUND: { ...missing, message: 'There is no such payment.' },
  PAYMENT_METHOD_NOT_FOUND: { ...missing, message: 'There is no such payment method.' },
  RECIPIENT_NOT_FOUND: { ...missing, message: 'There is no such recipient.' },
  WEBHOOK_ENDPOINT_NOT_FOUND: { ...missing, message: 'There is no such webhook endpoint.' },
  RECEIPT_NOT_FOUND: { ...missing, message: 'There is no receipt of such an act on this payment.' },
  DELIVERY_NOT_FOUND: { ...missing, message: 'There is no such delivery.' },

  SELF_PAYMENT: { ...invalid, message: 'Sender and recipient are the same.' },
  CURRENCY_NOT_SUPPORTED: { ...invalid, message: 'This is no currency that can be paid in.' },
  AMOUNT_OUT_OF_RANGE: { ...invalid, message: 'The amount must be between 0.01 and 10,000,000.00 of the major unit.' },
  CURRENCY_IMMUTABLE: { ...invalid, message: 'The currency must stay that of the payment.' },
  SCHEDULE_INVALID: { ...invalid, message: 'The schedule does not fit the type of the payment.' },
  CARD_INVALID: { ...invalid, message: 'The card number, expiry or verification code is not valid.' },
  IBAN_INVALID: { ...invalid, message: 'The IBAN is not valid.' },
  WEBHOOK_TARGET_REFUSED: { ...invalid, message: 'Webhooks are not sent to this address.' },
  WEBHOOK_EVENT_UNKNOWN: { ...invalid, message: 'There is no such event type.' },
  WEBHOOK_MALFORMED: { ...invalid, message: 'The message can not be read.' },
  WEBHOOK_SIGNATURE_INVALID: {
    code: Code.Unauthenticated,
    status: 401,
    message: 'The signature does not hold.',
    retry: 'never',
    level: 'warn',
  },

  PAYMENT_NOT_PENDING: { ...conflict, message: 'Only a pending payment can be changed.' },
  PAYMENT_NOT_CANCELLABLE: { ...conflict, message: 'The payment can not be withdrawn any more.' },
  PAYMENT_NOT_REFUNDABLE: { ...conflict, message: 'Only a completed payment can be refunded.' },
  REFUND_EXCEEDS_PAYMENT: { ...conflict, message: 'More than what is left of the payment can not be refunded.' },
  ILLEGAL_TRANSITION: { ...conflict, message: 'The payment can not take this state from the one it has.' },
  RECEIPT_PENDING: { ...conflict, retry: 'after', message: 'The act is not in a signed checkpoint of the log yet.' },
  OUTCOME_UNKNOWN: { ...conflict, retry: 'after', message: 'The provider has not said what became of the payment.' },
  OUTCOME_DIFFERS: { ...conflict, message: 'The provider says that the payment took another end.' },
  PAYMENT_METHOD_EXISTS: { ...conflict, message: 'This payment method is already there.' },
  WEBHOOK_ENDPOINT_DISABLED: { ...conflict, message: 'The webhook endpoint is off.' },

  CARD_REFUSED: {
    code: Code.FailedPrecondition,
    status: 422,
    message: 'The provider refuses this card.',
    retry: 'never',
    level: 'info',
  },
  PSP_UNAVAILABLE: {
    code: Code.Unavailable,
    status: 503,
    message: 'The payment service provider can not be reached.',
    retry: 'after',
    level: 'warn',
  },
  LIMIT_REACHED: {
    code: Code.ResourceExhausted,
    status: 429,
    message: 'There are too many of these already.',
    retry: 'never',
    level: 'info',
  },
});
