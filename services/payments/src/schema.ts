import { encryptedText } from '@strongroom/platform/crypto';
import { bytea, instant } from '@strongroom/platform/database';
import { sql } from 'drizzle-orm';
import {
  type AnyPgColumn,
  bigint,
  boolean,
  customType,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { type ActorKind, type PaymentStatus, paymentStatuses, paymentTypes } from './payment/payment.ts';

const minorUnits = (column: string) => bigint(column, { mode: 'bigint' });
const fence = () => bigint('fence', { mode: 'bigint' });
const transactionId = customType<{ data: string; driverData: string }>({ dataType: () => 'xid8' });

/** The row id of sealed columns is the method's; all of them are null once it is removed. */
export const paymentMethods = pgTable('payment_methods', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id').notNull(),
  kind: text('kind', { enum: ['card', 'bank_account'] }).notNull(),
  brand: text('brand').notNull(),
  last4: text('last4').notNull(),
  expMonth: integer('exp_month'),
  expYear: integer('exp_year'),
  number: encryptedText('number'),
  /** Blind index, to find a number that the person has added already. */
  numberIndex: bytea('number_index'),
  holderName: encryptedText('holder_name'),
  pspToken: encryptedText('psp_token'),
  createTime: instant('create_time').notNull().defaultNow(),
  removeTime: instant('remove_time'),
});

export const payments = pgTable('payments', {
  id: uuid('id').primaryKey(),
  type: text('type', { enum: paymentTypes }).notNull(),
  status: text('status', { enum: paymentStatuses }).notNull(),
  currencyCode: text('currency_code').notNull(),
  minorUnits: minorUnits('minor_units').notNull(),
  refundedMinorUnits: minorUnits('refunded_minor_units').notNull().default(0n),
  /** Held by refunds that are with the provider. */
  reservedMinorUnits: minorUnits('reserved_minor_units').notNull().default(0n),
  senderId: uuid('sender_id').notNull(),
  recipientId: uuid('recipient_id').notNull(),
  description: text('description').notNull(),
  metadata: jsonb('metadata').$type<Readonly<Record<string, string>>>().notNull().default({}),
  paymentMethodId: uuid('payment_method_id').references(() => paymentMethods.id),
  scheduledTime: instant('scheduled_time'),
  recurrence: text('recurrence'),
  timeZone: text('time_zone'),
  /** When the scheduler must act next; null when it has nothing to do. */
  nextRunTime: instant('next_run_time'),
  parentPaymentId: uuid('parent_payment_id').references((): AnyPgColumn => payments.id),
  occurrenceTime: instant('occurrence_time'),
  pspTransactionId: text('psp_transaction_id'),
  failureCode: text('failure_code'),
  failureReason: text('failure_reason'),
  createTime: instant('create_time').notNull(),
  updateTime: instant('update_time').notNull(),
  completeTime: instant('complete_time'),
  version: bigint('version', { mode: 'bigint' }).notNull().default(1n),
  /** Of the last change; the trigger copies them into payment_changes. */
  changeActorId: uuid('change_actor_id'),
  changeActorKind: text('change_actor_kind', { enum: ['user', 'psp', 'scheduler', 'reconciler'] }).notNull(),
  changeReason: text('change_reason').notNull().default(''),
});

/** Append-only, and written by the trigger on payments alone. */
export const paymentChanges = pgTable(
  'payment_changes',
  {
    paymentId: uuid('payment_id').notNull(),
    version: bigint('version', { mode: 'bigint' }).notNull(),
    fromStatus: text('from_status').$type<PaymentStatus>(),
    toStatus: text('to_status').$type<PaymentStatus>().notNull(),
    actorId: uuid('actor_id'),
    actorKind: text('actor_kind').$type<ActorKind>().notNull(),
    reason: text('reason').notNull(),
    changedFields: text('changed_fields').array().notNull(),
    changeTime: instant('change_time').notNull().defaultNow(),
    senderId: uuid('sender_id').notNull(),
    recipientId: uuid('recipient_id').notNull(),
    /** With the sequence, the position in the stream of changes. */
    transactionId: transactionId('transaction_id').notNull().default(sql`pg_current_xact_id()`),
    sequence: bigint('sequence', { mode: 'bigint' }).notNull().generatedAlwaysAsIdentity(),
  },
  (table) => [primaryKey({ columns: [table.paymentId, table.version] })],
);

/** The id is the payment's or refund's: our reference and the idempotency key at the provider. */
export const pspTasks = pgTable('psp_tasks', {
  id: uuid('id').primaryKey(),
  kind: text('kind', { enum: ['charge', 'refund'] }).notNull(),
  paymentId: uuid('payment_id').notNull(),
  fence: fence().notNull().default(0n),
  attemptCount: integer('attempt_count').notNull().default(0),
  nextAttemptTime: instant('next_attempt_time').notNull().defaultNow(),
  createTime: instant('create_time').notNull().defaultNow(),
});

export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    userId: uuid('user_id').notNull(),
    method: text('method').notNull(),
    keyHash: bytea('key_hash').notNull(),
    requestHash: bytea('request_hash').notNull(),
    fence: fence().notNull().default(1n),
    /** Set while a first attempt talks to the provider; null once there is a response. */
    leaseUntil: instant('lease_until'),
    response: bytea('response'),
    createTime: instant('create_time').notNull().defaultNow(),
    expireTime: instant('expire_time').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.method, table.keyHash] })],
);

/** Append-only. */
export const ledgerAccounts = pgTable('ledger_accounts', {
  id: uuid('id').primaryKey().generatedAlwaysAs(sql`ledger_account_id(name, user_id, currency_code)`),
  name: text('name', { enum: ['user', 'psp_clearing'] }).notNull(),
  /** Null for the system's own. */
  userId: uuid('user_id'),
  currencyCode: text('currency_code').notNull(),
  createTime: instant('create_time').notNull().defaultNow(),
});

export const refunds = pgTable('refunds', {
  id: uuid('id').primaryKey(),
  paymentId: uuid('payment_id')
    .notNull()
    .references(() => payments.id),
  minorUnits: minorUnits('minor_units').notNull(),
  status: text('status', { enum: ['processing', 'completed', 'failed'] }).notNull(),
  reason: text('reason').notNull(),
  actorId: uuid('actor_id').notNull(),
  pspTransactionId: text('psp_transaction_id'),
  failureCode: text('failure_code'),
  createTime: instant('create_time').notNull(),
  completeTime: instant('complete_time'),
});

/** Append-only. That the payment is there is checked by trigger, as for entries their transaction and account. */
export const ledgerTransactions = pgTable(
  'ledger_transactions',
  {
    id: uuid('id').primaryKey(),
    paymentId: uuid('payment_id').notNull(),
    refundId: uuid('refund_id').references(() => refunds.id),
    kind: text('kind', { enum: ['capture', 'refund'] }).notNull(),
    createTime: instant('create_time').notNull().defaultNow(),
  },
  (table) => [unique('ledger_transactions_once').on(table.paymentId, table.refundId).nullsNotDistinct()],
);

/** Append-only. Positive amounts are credits, negative ones debits. */
export const ledgerEntries = pgTable(
  'ledger_entries',
  {
    id: uuid('id').notNull(),
    transactionId: uuid('transaction_id').notNull(),
    accountId: uuid('account_id').notNull(),
    currencyCode: text('currency_code').notNull(),
    minorUnits: minorUnits('minor_units').notNull(),
    createTime: instant('create_time').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.transactionId, table.id] })],
);

/** Messages of the provider, each by its own id. */
export const pspWebhookEvents = pgTable('psp_webhook_events', {
  eventId: text('event_id').primaryKey(),
  type: text('type').notNull(),
  reference: text('reference').notNull(),
  applied: boolean('applied').notNull(),
  note: text('note').notNull(),
  receiveTime: instant('receive_time').notNull().defaultNow(),
});

/** The row id of sealed columns is the endpoint's. */
export const webhookEndpoints = pgTable('webhook_endpoints', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id').notNull(),
  url: text('url').notNull(),
  eventTypes: text('event_types').array().notNull(),
  enabled: boolean('enabled').notNull().default(true),
  secret: encryptedText('secret').notNull(),
  /** Signs beside the new one until its time is over. */
  previousSecret: encryptedText('previous_secret'),
  previousSecretUntil: instant('previous_secret_until'),
  failingSince: instant('failing_since'),
  createTime: instant('create_time').notNull().defaultNow(),
});

export const webhookDeliveries = pgTable('webhook_deliveries', {
  id: uuid('id').primaryKey(),
  webhookEndpointId: uuid('webhook_endpoint_id')
    .notNull()
    .references(() => webhookEndpoints.id, { onDelete: 'cascade' }),
  eventType: text('event_type').notNull(),
  body: text('body').notNull(),
  state: text('state', { enum: ['pending', 'delivered', 'failed'] })
    .notNull()
    .default('pending'),
  attemptCount: integer('attempt_count').notNull().default(0),
  lastStatusCode: integer('last_status_code').notNull().default(0),
  lastError: text('last_error').notNull().default(''),
  nextAttemptTime: instant('next_attempt_time'),
  fence: fence().notNull().default(0n),
  createTime: instant('create_time').notNull().defaultNow(),
});
