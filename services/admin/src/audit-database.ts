import { createDatabase, type Database, type DatabaseOptions } from '@strongroom/platform/database';

/**
 * The pool of audit_db. Which index serves a list best depends on how much an action, a person or a text has in the log and
 * on how long a period is: a plan for any value, as PostgreSQL makes for a statement that comes often, reads thousands
 * of rows for a page of fifty. Planning each time costs a millisecond.
 */
export function openAuditDatabase(options: Omit<DatabaseOptions, 'name' | 'settings'>): Promise<Database> {
  return createDatabase({ ...options, name: 'audit', settings: { plan_cache_mode: 'force_custom_plan' } });
}
