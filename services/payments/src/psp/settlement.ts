import type { Act } from '@strongroom/platform/database';
import { eventRow, type OutboxRow } from '@strongroom/platform/outbox';
import { capturePostings, type Posting, refundPostings } from '../ledger/ledger.ts';
import { type Payment, type PaymentStatus, statusAfterRefund } from '../payment/payment.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import type { ChangeFacts } from '../payment/payment-store.ts';
import type { Refund } from '../refund/refund.ts';
import type { PspNotification, PspOutcome } from './psp.ts';
import type { PspTask } from './psp-task-store.ts';

/** The end of a charge or refund, decided on the payment as it was seen. It is written while the payment is still so. */
export interface Settlement {
  readonly act: Act;
  readonly facts: ChangeFacts;
  readonly payment: Payment;
  /** For the end of a refund. */
  readonly refund: Refund | undefined;
  /** What the payment becomes. */
  readonly status: PaymentStatus;
  /** The provider's id of the charge or refund. */
  readonly transactionId: string | null;
  readonly failureCode: string | null;
  readonly failureReason: string | null;
  /** What the ledger is told; null and none of a charge that failed. */
  readonly ledgerKind: 'capture' | 'refund' | null;
  readonly postings: readonly Posting[];
  readonly event: OutboxRow;
  /** The claim under which the provider was asked: nothing is written for one that was taken over (F34). */
  readonly task?: PspTask;
  /** The provider's message that says so: nothing is written for one that was taken before (F16). */
  readonly message?: PspNotification;
}

/** Who says it, and how the history puts it. */
export interface Teller {
  readonly act: Act;
  readonly facts: ChangeFacts;
}

type Completed = Extract<PspOutcome, { kind: 'completed' }>;
type Failed = Extract<PspOutcome, { kind: 'failed' }>;

/** Undefined where the outcome is no end, or the payment was not seen with the provider: that takes its lock. */
export function chargeSettlement(payment: Payment, outcome: PspOutcome, teller: Teller): Settlement | undefined {
  if (payment.status !== 'processing') return undefined;
  if (outcome.kind === 'completed') return completedCharge(payment, outcome, teller);
  return outcome.kind === 'failed' ? failedCharge(payment, outcome, teller) : undefined;
}

/** Undefined where the outcome is no end, and for a refund that failed: its payment doesn't change. */
export function refundSettlement(
  payment: Payment,
  refund: Refund,
  outcome: PspOutcome,
  teller: Teller,
): Settlement | undefined {
  const isEnd = refund.status === 'processing' && outcome.kind === 'completed';
  return isEnd ? completedRefund(payment, refund, outcome, teller) : undefined;
}

export function completedCharge(payment: Payment, { transactionId }: Completed, { act, facts }: Teller): Settlement {
  const status = 'completed';
  const event = paymentEvent('PAYMENT_COMPLETED', { ...payment, status }, { pspTransactionId: transactionId });
  return {
    ...{ act, facts, payment, refund: undefined, status, transactionId, failureCode: null, failureReason: null },
    ledgerKind: 'capture',
    postings: capturePostings(payment.recipientId, payment),
    event: eventRow(act, event),
  };
}

export function failedCharge(payment: Payment, outcome: Failed, { act, facts }: Teller): Settlement {
  const { transactionId, failureCode, failureReason } = outcome;
  const status = 'failed';
  return {
    ...{ act, facts, payment, refund: undefined, status, transactionId, failureCode, failureReason },
    ledgerKind: null,
    postings: [],
    event: eventRow(act, paymentEvent('PAYMENT_FAILED', { ...payment, status }, { failureCode })),
  };
}

export function completedRefund(
  payment: Payment,
  refund: Refund,
  { transactionId }: Completed,
  { act, facts }: Teller,
): Settlement {
  const status = statusAfterRefund(payment, refund.minorUnits);
  const details = { refundId: refund.id, refundMinorUnits: String(refund.minorUnits), refundStatus: 'completed' };
  return {
    ...{ act, facts, payment, refund, status, transactionId, failureCode: null, failureReason: null },
    ledgerKind: 'refund',
    postings: refundPostings(payment.recipientId, refund),
    event: eventRow(act, paymentEvent('PAYMENT_REFUNDED', { ...payment, status }, details)),
  };
}
