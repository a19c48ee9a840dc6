import { encryptedText } from '@strongroom/platform/crypto';
import { bytea, instant } from '@strongroom/platform/database';
import { bigint, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { PreferencesDocument } from './preferences/preferences.ts';

/** The row id of sealed columns is the user's id. */
export const profiles = pgTable('profiles', {
  userId: uuid('user_id').primaryKey(),
  phone: encryptedText('phone'),
  address: encryptedText('address'),
  bio: text('bio').notNull().default(''),
  avatarUrl: text('avatar_url').notNull().default(''),
  taxId: encryptedText('tax_id'),
  dateOfBirth: encryptedText('date_of_birth'),
  version: bigint('version', { mode: 'bigint' }).notNull().default(1n),
  createTime: instant('create_time').notNull().defaultNow(),
  updateTime: instant('update_time').notNull().defaultNow(),
});

export const preferences = pgTable('preferences', {
  userId: uuid('user_id').primaryKey(),
  document: jsonb('document').$type<PreferencesDocument>().notNull(),
  updateTime: instant('update_time').notNull().defaultNow(),
});

export const avatars = pgTable('avatars', {
  userId: uuid('user_id').primaryKey(),
  content: bytea('content').notNull(),
  updateTime: instant('update_time').notNull().defaultNow(),
});

export const notices = pgTable('notices', {
  id: uuid('id').primaryKey(),
  userId: text('user_id').notNull(),
  template: text('template').notNull(),
  state: text('state', { enum: ['sending', 'sent', 'expired', 'parked'] }).notNull(),
  attemptCount: integer('attempt_count').notNull().default(0),
  createTime: instant('create_time').notNull().defaultNow(),
  sendTime: instant('send_time'),
});

export const erasures = pgTable('erasures', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id').notNull().unique(),
  /** Steps done: auth, payments, profile, audit. */
  stepsDone: text('steps_done').array().notNull().default([]),
  createTime: instant('create_time').notNull().defaultNow(),
  completeTime: instant('complete_time'),
});
