import type { Act } from './act.ts';
import type { ISql } from './types.ts';

/**
 * For a write that is a single statement: a CTE that sets the act for the triggers of the write audit, which run at the
 * end of the statement. A CTE that nothing refers to isn't evaluated, so the write must select from `act`:
 *
 *     with ${actCte(sql, act)} insert into payments (id, …) select ${id}, … from act
 */
export function actCte(sql: ISql, act: Act) {
  return sql`act as materialized (select ${actSettings(sql, act)})`;
}

/** The select list that sets the act for the rest of the transaction. */
export function actSettings(sql: ISql, act: Act) {
  return sql`set_config('strongroom.actor_id', ${act.actorId}, true),
    set_config('strongroom.actor_kind', ${act.actorKind}, true),
    set_config('strongroom.actor_name', ${act.actorName}, true),
    set_config('strongroom.request_id', ${act.requestId}, true),
    set_config('strongroom.trace_id', ${act.traceId}, true),
    set_config('strongroom.ip_address', ${act.ipAddress}, true),
    set_config('strongroom.user_agent', ${act.userAgent}, true),
    set_config('strongroom.device_id', ${act.deviceId}, true)`;
}

/**
 * The select list that sets acts of rows for the rest of the transaction, by the id of the row: for a statement that writes
 * rows of one table for several people. Each has a record of its own; whatever else is written shares the transaction's act.
 */
export function rowActSettings(sql: ISql, table: string, acts: Readonly<Record<string, Act>>) {
  return sql`set_config('strongroom.acts', ${JSON.stringify(acts)}, true),
    set_config('strongroom.acts_table', ${table}, true)`;
}
