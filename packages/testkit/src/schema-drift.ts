import { is } from 'drizzle-orm';
import { getTableConfig, type PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { createTestDatabase, openSql } from './engines.ts';

/**
 * What the tables of a schema module and those that the migrations of `name` make say differently, a line a difference;
 * empty if they agree. Compared are tables, columns with type, nullability and where their value comes from, keys, unique
 * constraints, references, and the closed sets of a text column (`enum` there, `check (… in (…))` here). Checks of other
 * kinds and partial indexes are the migrations' alone.
 */
export async function findSchemaDrift(name: string, schema: Readonly<Record<string, unknown>>): Promise<string[]> {
  const database = await createTestDatabase(name);
  const sql = openSql(database.superuserUrl);
  try {
    return compareSchema(await readDatabase(sql), schema);
  } finally {
    await sql.end();
    await database.drop();
  }
}

/** `facts` is what `readDatabase` found. */
export function compareSchema(facts: ReadonlySet<string>, schema: Readonly<Record<string, unknown>>): string[] {
  const declared = new Set(
    Object.values(schema)
      .filter((value) => is(value, PgTable))
      .flatMap(describeTable),
  );
  return [
    ...[...declared].filter((fact) => !facts.has(fact)).map((fact) => `only in the schema module: ${fact}`),
    ...[...facts].filter((fact) => !declared.has(fact)).map((fact) => `only in the database: ${fact}`),
  ].sort();
}

function describeTable(table: PgTable): string[] {
  const { name, columns, primaryKeys, uniqueConstraints, indexes, foreignKeys } = getTableConfig(table);
  const key = [...columns.filter(({ primary }) => primary), ...primaryKeys.flatMap((primaryKey) => primaryKey.columns)];
  const unique = [
    ...columns.filter(({ isUnique }) => isUnique).map((column) => [column]),
    ...uniqueConstraints.map((constraint) => constraint.columns),
    ...indexes.filter(({ config }) => config.unique).map(({ config }) => config.columns as PgColumn[]),
  ];
  return [
    `table ${name}`,
    ...columns.map((column) => columnFact(name, column.name, column.getSQLType(), column.notNull, originOf(column))),
    ...columns.flatMap((column) => (column.enumValues ? [valuesFact(name, column.name, column.enumValues)] : [])),
    ...(key.length > 0 ? [keyFact(name, 'primary key', namesOf(key))] : []),
    ...unique.map((of) => keyFact(name, 'unique', namesOf(of))),
    ...foreignKeys.map((foreignKey) => {
      const { columns: from, foreignColumns: to, foreignTable } = foreignKey.reference();
      return referenceFact(name, namesOf(from), getTableConfig(foreignTable).name, namesOf(to));
    }),
  ];
}

function namesOf(columns: readonly PgColumn[]): string[] {
  return columns.map(({ name }) => name);
}

function originOf(column: PgColumn): string {
  if (column.generatedIdentity) return 'identity';
  if (column.generated) return 'generated';
  return column.hasDefault ? 'default' : '';
}

function columnFact(table: string, column: string, type: string, isRequired: boolean, origin: string): string {
  return `${table}.${column}: ${[type, isRequired ? 'not null' : 'null', origin].filter(Boolean).join(', ')}`;
}

function valuesFact(table: string, column: string, values: readonly string[]): string {
  return `${table}.${column}: one of ${[...values].sort().join(', ')}`;
}

function keyFact(table: string, kind: 'primary key' | 'unique', columns: readonly string[]): string {
  return `${table}: ${kind} (${columns.join(', ')})`;
}

function referenceFact(table: string, columns: readonly string[], other: string, keys: readonly string[]): string {
  return `${table}: (${columns.join(', ')}) references ${other} (${keys.join(', ')})`;
}

/** The tables of `public`, partitions left out, in the words of `describeTable`. */
export async function readDatabase(sql: postgres.Sql): Promise<Set<string>> {
  const tables = sql`
    select oid, relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition`;
  const columns = await sql`
    select relname, attname, format_type(atttypid, atttypmod) as type, attnotnull, case
      when attidentity <> '' then 'identity' when attgenerated <> '' then 'generated' when atthasdef then 'default'
      else '' end as origin
    from (${tables}) as t join pg_attribute on attrelid = t.oid where attnum > 0 and not attisdropped`;
  const keys = await sql`
    select relname, case when indisprimary then 'primary key' else 'unique' end as kind,
      (select array_agg(attname::text order by n) from unnest(indkey::int2[]) with ordinality as k (attnum, n)
       join pg_attribute using (attnum) where attrelid = t.oid) as columns
    from (${tables}) as t join pg_index on indrelid = t.oid
    where indisunique and indpred is null and indexprs is null`;
  const names = (relation: string, numbers: string) => sql`
    (select array_agg(attname::text order by n) from unnest(${sql(numbers)}) with ordinality as k (attnum, n)
     join pg_attribute using (attnum) where attrelid = ${sql(relation)})`;
  const references = await sql`
    select relname, ${names('conrelid', 'conkey')} as columns, confrelid::regclass::text as other,
      ${names('confrelid', 'confkey')} as keys
    from (${tables}) as t join pg_constraint on conrelid = t.oid where contype = 'f'`;
  const checks = await sql`
    select relname, (${names('conrelid', 'conkey')})[1] as column, pg_get_constraintdef(pg_constraint.oid) as definition
    from (${tables}) as t join pg_constraint on conrelid = t.oid where contype = 'c' and cardinality(conkey) = 1`;
  return new Set([
    ...columns.map(({ relname }) => `table ${relname}`),
    ...columns.map((row) => columnFact(row['relname'], row['attname'], row['type'], row['attnotnull'], row['origin'])),
    ...keys.map(({ relname, kind, columns }) => keyFact(relname, kind, columns)),
    ...references.map(({ relname, columns, other, keys }) => referenceFact(relname, columns, other, keys)),
    ...checks.flatMap(({ relname, column, definition }) => {
      const values = closedSetOf(definition);
      return values === undefined ? [] : [valuesFact(relname, column, values)];
    }),
  ]);
}

/** As PostgreSQL prints `x in ('a', 'b')` and `x = 'a'` on a text column. */
const closedSet = /^CHECK \(\(\w+ = (?:ANY \(ARRAY\[((?:'[^']*'::text(?:, )?)+)\]\)|('[^']*'::text))\)\)$/;

function closedSetOf(definition: string): string[] | undefined {
  const match = closedSet.exec(definition);
  const list = match?.[1] ?? match?.[2];
  return list
    ?.matchAll(/'([^']*)'::text/g)
    .map(([, value]) => String(value))
    .toArray();
}
