import { bytea, clockTime, instant } from '@strongroom/platform/database';
import { bigint, boolean, doublePrecision, integer, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import type { AnomalyKindName, Baseline } from './anomaly/anomaly-rules.ts';
import type { ReportFormatName, ReportKindName } from './report/report.ts';

// The tables of admin_db; those of audit_db are in audit-schema.ts.

export const flags = pgTable('flag', {
  name: text('name').primaryKey(),
  enabled: boolean('enabled').notNull(),
  actorId: uuid('actor_id').notNull(),
  updateTime: instant('update_time').notNull().default(clockTime),
});

export const legalHolds = pgTable('legal_hold', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id').notNull(),
  reason: text('reason').notNull(),
  actorId: uuid('actor_id').notNull(),
  createTime: instant('create_time').notNull().default(clockTime),
  releaseTime: instant('release_time'),
});

export const erasures = pgTable('erasure', {
  userId: uuid('user_id').primaryKey(),
  createTime: instant('create_time').notNull().default(clockTime),
});

export const anomalies = pgTable(
  'anomaly',
  {
    id: uuid('id').primaryKey(),
    kind: text('kind').$type<AnomalyKindName>().notNull(),
    state: text('state', { enum: ['OPEN', 'CONFIRMED', 'DISMISSED'] })
      .notNull()
      .default('OPEN'),
    userId: uuid('user_id'),
    eventId: uuid('event_id').notNull(),
    /** 0 to 1. */
    score: doublePrecision('score').notNull(),
    reasons: text('reasons').array().notNull(),
    action: text('action', { enum: ['observe', 'step_up', 'block'] }).notNull(),
    createTime: instant('create_time').notNull().default(clockTime),
    resolverId: uuid('resolver_id'),
    resolution: text('resolution').notNull().default(''),
    resolveTime: instant('resolve_time'),
    enforceTime: instant('enforce_time'),
    alertTime: instant('alert_time'),
  },
  (table) => [unique().on(table.eventId, table.kind)],
);

/** One row: how far the detection has read the audit log. */
export const anomalyCursor = pgTable('anomaly_cursor', {
  id: boolean('id').primaryKey().default(true),
  nextSequence: bigint('next_sequence', { mode: 'number' }).notNull().default(0),
});

export const anomalyBaselines = pgTable('anomaly_baseline', {
  userId: uuid('user_id').primaryKey(),
  baseline: jsonb('baseline').$type<Baseline>().notNull(),
  updateTime: instant('update_time').notNull().default(clockTime),
});

export const reports = pgTable('report', {
  id: uuid('id').primaryKey(),
  kind: text('kind').$type<ReportKindName>().notNull(),
  format: text('format').$type<ReportFormatName>().notNull(),
  state: text('state', { enum: ['RUNNING', 'COMPLETED', 'FAILED'] }).notNull(),
  startTime: instant('start_time').notNull(),
  endTime: instant('end_time').notNull(),
  subjectId: uuid('subject_id'),
  actorId: uuid('actor_id').notNull(),
  firstSequence: bigint('first_sequence', { mode: 'number' }),
  lastSequence: bigint('last_sequence', { mode: 'number' }),
  checkpoint: text('checkpoint').notNull().default(''),
  complete: boolean('complete').notNull().default(false),
  rowCount: integer('row_count').notNull().default(0),
  contentType: text('content_type').notNull().default(''),
  content: bytea('content'),
  failure: text('failure').notNull().default(''),
  createTime: instant('create_time').notNull().default(clockTime),
});
