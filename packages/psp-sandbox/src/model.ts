import type { Outcome } from './outcomes.ts';

export type Status = 'processing' | 'completed' | 'failed';

export interface PaymentMethod {
  readonly token: string;
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number;
  readonly expYear: number;
  readonly outcome: Outcome;
}

export interface Charge {
  readonly id: string;
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly idempotencyKey: string;
  /** What a repetition must agree with; holds no card number. */
  readonly fingerprint: string;
  readonly outcome: Outcome;
  readonly createTime: string;
  amountRefunded: number;
  status: Status;
  failureReason?: string;
  updateTime: string;
}

export interface Refund {
  readonly id: string;
  readonly chargeId: string;
  readonly chargeReference: string;
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly idempotencyKey: string;
  readonly fingerprint: string;
  readonly outcome: Outcome;
  readonly createTime: string;
  status: Status;
  failureReason?: string;
  updateTime: string;
}

export type JournalKind =
  | 'charge'
  | 'refund'
  | 'charge-completed'
  | 'charge-failed'
  | 'refund-completed'
  | 'refund-failed';

export interface JournalEntry {
  readonly sequence: number;
  readonly time: string;
  readonly kind: JournalKind;
  readonly id: string;
  readonly chargeId: string;
  readonly reference: string;
  readonly amount: number;
  readonly currency: string;
  readonly idempotencyKey: string;
}

export type EventType =
  | 'charge.processing'
  | 'charge.completed'
  | 'charge.failed'
  | 'refund.processing'
  | 'refund.completed'
  | 'refund.failed';

/** One webhook: sent until it is taken, always with the same bytes. */
export interface WebhookEvent {
  readonly eventId: string;
  readonly type: EventType;
  readonly reference: string;
  readonly body: string;
  attempts: number;
  delivered: boolean;
  givenUp: boolean;
  lastStatus?: number;
}

export function publicCharge(charge: Charge): object {
  const { idempotencyKey: _key, fingerprint: _fingerprint, outcome: _outcome, ...shown } = charge;
  return shown;
}

export function publicRefund(refund: Refund): object {
  const { idempotencyKey: _key, fingerprint: _fingerprint, outcome: _outcome, ...shown } = refund;
  return shown;
}

export function publicPaymentMethod(method: PaymentMethod): object {
  const { outcome: _outcome, ...shown } = method;
  return shown;
}
