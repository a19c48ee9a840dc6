// The rules of a payment, pure: what it may become, who may see and change it. The database holds the same graph.
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { errors } from '../errors.ts';

export const paymentStatuses = [
  'pending',
  'processing',
  'completed',
  'failed',
  'cancelled',
  'partially_refunded',
  'refunded',
] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

export const paymentTypes = ['instant', 'scheduled', 'recurring'] as const;
export type PaymentType = (typeof paymentTypes)[number];

export type ActorKind = 'user' | 'psp' | 'scheduler' | 'reconciler';

export interface Payment {
  readonly id: string;
  readonly type: PaymentType;
  readonly status: PaymentStatus;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
  readonly refundedMinorUnits: bigint;
  readonly reservedMinorUnits: bigint;
  readonly senderId: string;
  readonly recipientId: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly paymentMethodId: string | null;
  readonly scheduledTime: string | null;
  /** When the scheduler acts next. */
  readonly nextRunTime: string | null;
  readonly recurrence: string | null;
  readonly timeZone: string | null;
  readonly parentPaymentId: string | null;
  readonly pspTransactionId: string | null;
  readonly failureCode: string | null;
  readonly failureReason: string | null;
  readonly createTime: string;
  readonly updateTime: string;
  readonly completeTime: string | null;
  readonly version: bigint;
}

/** contract.md, States. A status to itself (other fields change) is no transition and stands only in the database. */
const transitions: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  pending: ['processing', 'failed', 'cancelled'],
  // To cancelled only after the provider has said that the charge never had an effect.
  processing: ['completed', 'failed', 'cancelled'],
  completed: ['partially_refunded', 'refunded'],
  partially_refunded: ['refunded'],
  failed: [],
  cancelled: [],
  refunded: [],
};

export function isLegalTransition(from: PaymentStatus, to: PaymentStatus): boolean {
  return transitions[from].includes(to);
}

/** Whether the money's way is decided: from here on a payment can only be refunded. */
export function isFinal(status: PaymentStatus): boolean {
  return status !== 'pending' && status !== 'processing';
}

export interface Viewer {
  readonly userId: string;
  readonly role: Role;
}

export function isSender({ userId }: Viewer, payment: Pick<Payment, 'senderId'>): boolean {
  return payment.senderId === userId;
}

export function isParty({ userId }: Viewer, payment: Pick<Payment, 'senderId' | 'recipientId'>): boolean {
  return payment.senderId === userId || payment.recipientId === userId;
}

/** OWNERSHIP_PARTY_OR_ADMIN. Whoever may not see it learns as much as about one that doesn't exist. */
export function requireVisible(viewer: Viewer, payment: Payment | undefined): Payment {
  if (payment === undefined) throw errors.PAYMENT_NOT_FOUND();
  if (viewer.role !== Role.ADMIN && !isParty(viewer, payment)) throw errors.PAYMENT_NOT_FOUND();
  return payment;
}

/** OWNERSHIP_SENDER_OR_ADMIN: the recipient sees the payment, so he is told that this isn't his to do. */
export function requireSender(viewer: Viewer, payment: Payment | undefined): Payment {
  const visible = requireVisible(viewer, payment);
  if (viewer.role !== Role.ADMIN && !isSender(viewer, visible)) throw commonErrors.FORBIDDEN();
  return visible;
}

/** OWNERSHIP_RECIPIENT_OR_ADMIN: only who was paid gives back. */
export function requireRecipient(viewer: Viewer, payment: Payment | undefined): Payment {
  const visible = requireVisible(viewer, payment);
  if (viewer.role !== Role.ADMIN && visible.recipientId !== viewer.userId) throw commonErrors.FORBIDDEN();
  return visible;
}

/** RFC 9110, 8.8.3: opaque to the caller. */
export function etagOf({ version }: Pick<Payment, 'version'>): string {
  return `v${version}`;
}

export function requireEtag(payment: Payment, etag: string | undefined): void {
  if (etag === undefined || etag === '') return;
  // A header If-Match carries the quotes of RFC 9110.
  if (etag.replace(/^"(.*)"$/, '$1') !== etagOf(payment)) throw commonErrors.ETAG_MISMATCH();
}

/** What a cancellation needs: nothing but the row, or the provider's word that nothing happened there. */
export type CancelDecision = 'now' | 'ask-provider';

export function decideCancel(viewer: Viewer, payment: Payment): CancelDecision {
  if (payment.status === 'pending') return 'now';
  if (payment.status === 'processing' && viewer.role === Role.ADMIN) return 'ask-provider';
  throw errors.PAYMENT_NOT_CANCELLABLE({ metadata: { paymentStatus: payment.status } });
}

export type StatusDecision = 'submit' | 'end-unsent' | 'ask-provider';

/** SetPaymentStatus: an administrator's wish never outweighs what the provider says about money. */
export function decideStatus(payment: Payment, wanted: PaymentStatus): StatusDecision {
  const illegal = () => errors.ILLEGAL_TRANSITION({ metadata: { fromStatus: payment.status, toStatus: wanted } });
  // Refunds have an amount and a posting of their own: RefundPayment makes them.
  if (wanted === 'refunded' || wanted === 'partially_refunded') throw illegal();
  if (!isLegalTransition(payment.status, wanted)) throw illegal();
  if (payment.status === 'processing') return 'ask-provider';
  return wanted === 'processing' ? 'submit' : 'end-unsent';
}

/** A recurring payment is the rule itself; the payments that it makes carry its id as their parent's. */
export function isRule(payment: Pick<Payment, 'type' | 'parentPaymentId'>): boolean {
  return payment.type === 'recurring' && payment.parentPaymentId === null;
}

export function refundableMinorUnits(payment: Payment): bigint {
  return payment.minorUnits - payment.refundedMinorUnits - payment.reservedMinorUnits;
}

export function statusAfterRefund(payment: Payment, minorUnits: bigint): PaymentStatus {
  return payment.refundedMinorUnits + minorUnits === payment.minorUnits ? 'refunded' : 'partially_refunded';
}
