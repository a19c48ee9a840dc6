/** A table whose writes are recorded (S4.4). */
export interface WriteAuditOptions {
  /** Columns of the primary key; their values are the row's id. Default: `id`. */
  readonly key?: readonly string[];
  /** A resource type of the closed list, so that a search by resource finds its writes. Default: `database_row`. */
  readonly resourceType?: string;
}

const identifier = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * The SQL that a migration needs to record every write to a table. Statement triggers with transition tables: one
 * outbox row a statement and hundred rows, so a mass update costs one row where row triggers would cost thousands.
 * ENABLE ALWAYS, so that `session_replication_role = replica` doesn't get around them.
 */
export function writeAudit(table: string, options: WriteAuditOptions = {}): string {
  const [schema, name] = table.includes('.') ? table.split('.', 2) : ['public', table];
  const key = options.key ?? ['id'];
  const resourceType = options.resourceType ?? 'database_row';
  for (const part of [schema, name, resourceType, ...key]) {
    if (part === undefined || !identifier.test(part)) throw new TypeError(`Not a plain identifier: ${part}`);
  }
  const target = `"${schema}"."${name}"`;
  const call = `execute function strongroom.write_audit('${resourceType}', ${key.map((column) => `'${column}'`).join(', ')})`;
  const triggers = [
    ['insert', 'referencing new table as new_rows'],
    ['update', 'referencing old table as old_rows new table as new_rows'],
    ['delete', 'referencing old table as old_rows'],
    ['truncate', ''],
  ] as const;
  return triggers
    .flatMap(([event, transition]) => [
      `create or replace trigger write_audit_${event} after ${event} on ${target} ${transition} for each statement ${call};`,
      `alter table ${target} enable always trigger write_audit_${event};`,
    ])
    .join('\n');
}
