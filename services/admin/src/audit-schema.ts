import { bytea, clockTime, instant } from '@strongroom/platform/database';
import { sql } from 'drizzle-orm';
import { bigint, boolean, integer, jsonb, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core';
import type { RetentionClass } from './audit/retention.ts';

// The tables of audit_db. Positions and sizes are below 2^53: a log that takes a million events a second needs 285 years.

const position = (column: string) => bigint(column, { mode: 'number' });

/** Append-only: neither rights nor triggers let a row be changed or removed. Partitioned by class, then by time (S7.3). */
export const auditRecords = pgTable(
  'audit_record',
  {
    sequence: position('sequence').notNull(),
    retentionClass: text('retention_class').$type<RetentionClass>().notNull(),
    eventId: uuid('event_id').notNull(),
    action: text('action').notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id').notNull(),
    actorId: uuid('actor_id'),
    actorKind: text('actor_kind').notNull(),
    actorName: text('actor_name').notNull(),
    subjectId: uuid('subject_id'),
    deviceId: text('device_id').notNull(),
    traceId: text('trace_id').notNull(),
    requestId: text('request_id').notNull(),
    occurTime: instant('occur_time').notNull(),
    recordTime: instant('record_time').notNull(),
    details: jsonb('details').$type<Readonly<Record<string, string>>>().notNull(),
    source: text('source').notNull(),
    /** Personal data, sealed under the person's key (B-erase). */
    actorSealed: bytea('actor_sealed'),
    subjectSealed: bytea('subject_sealed'),
    salt: bytea('salt').notNull(),
    /** What ListAuditEvents searches: ids, names and details in lower case, in a trigram index. */
    searchText: text('search_text')
      .notNull()
      .generatedAlwaysAs(sql`lower(event_id::text || ' ' || resource_id || ' ' || coalesce(actor_id::text, '') || ' ' || actor_name || ' ' ||
      coalesce(subject_id::text, '') || ' ' || trace_id || ' ' || request_id || ' ' || details::text)`),
  },
  (table) => [primaryKey({ columns: [table.recordTime, table.sequence, table.retentionClass] })],
);

export const retentionClasses = pgTable('retention_class', {
  name: text('name').$type<RetentionClass>().primaryKey(),
  days: integer('days').notNull(),
  partitionMonths: integer('partition_months').notNull(),
});

/** Append-only: one row for each leaf, for ever. An entry is a salted commitment. */
export const logLeaves = pgTable('log_leaf', {
  sequence: position('sequence').primaryKey(),
  eventId: uuid('event_id').notNull().unique(),
  entry: bytea('entry').notNull(),
});

/** Append-only: full tiles (C2SP tlog-tiles). */
export const logTiles = pgTable(
  'log_tile',
  {
    level: smallint('level').notNull(),
    index: position('index').notNull(),
    bytes: bytea('bytes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.level, table.index] })],
);

/** Append-only. */
export const logCheckpoints = pgTable('log_checkpoint', {
  id: position('id').primaryKey().generatedAlwaysAsIdentity(),
  size: position('size').notNull(),
  root: bytea('root').notNull(),
  note: text('note').notNull(),
  cosigned: boolean('cosigned').notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
});

/** One row, which only grows. */
export const logState = pgTable('log_state', {
  id: boolean('id').primaryKey().default(true),
  size: position('size').notNull(),
  /** The partial tiles at the right edge, level 0 first. */
  edge: bytea('edge').notNull(),
  /** Records below it may have been pruned. */
  minimumIndex: position('minimum_index').notNull().default(0),
  /** Of the newest record: none is older than one before it, whatever the clock does. */
  recordTime: instant('record_time').notNull().default('-infinity'),
});

/** Messages that are no event, sealed by the keyring (F29). */
export const parkedEvents = pgTable('parked_event', {
  id: uuid('id').primaryKey(),
  digest: bytea('digest').notNull().unique(),
  messageId: text('message_id').notNull(),
  subject: text('subject').notNull(),
  sealedPayload: bytea('sealed_payload').notNull(),
  reason: text('reason').notNull(),
  parkTime: instant('park_time').notNull().default(clockTime),
  replayTime: instant('replay_time'),
});
