import { foreignKey, integer, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { type Test, test } from 'tap';
import { compareSchema, createTestDatabase, openSql, readDatabase } from '../src/index.ts';

const person = pgTable('person', {
  id: uuid('id').primaryKey(),
  email: text('email').notNull().unique(),
  state: text('state', { enum: ['new', 'old'] }).notNull(),
  score: integer('score').notNull().default(0),
  label: text('label').generatedAlwaysAs('').notNull(),
});
const visit = pgTable(
  'visit',
  {
    personId: uuid('person_id').notNull(),
    day: integer('day').notNull(),
    number: integer('number').generatedAlwaysAsIdentity(),
    places: text('places').array(),
  },
  (table) => [
    primaryKey({ columns: [table.personId, table.day] }),
    foreignKey({ columns: [table.personId], foreignColumns: [person.id] }),
    unique().on(table.day, table.number),
  ],
);

async function databaseWith(t: Test, columns: { readonly person: string; readonly visit: string }) {
  const database = await createTestDatabase('testkit', { migrations: [] });
  const sql = openSql(database.ownerUrl);
  t.teardown(async () => {
    await sql.end();
    await database.drop();
  });
  await sql.unsafe(`create table person (${columns.person})`);
  await sql.unsafe(`create table visit (${columns.visit}) partition by range (day)`);
  await sql.unsafe('create table visit_early partition of visit for values from (0) to (9)');
  return { sql, drift: async () => compareSchema(await readDatabase(sql), { person, visit, notATable: 1 }) };
}

const agreed = {
  person: `id uuid primary key, email text not null unique, state text not null check (state in ('old', 'new')),
    score integer not null default 0 check (score in (0, 1)), label text not null generated always as ('') stored`,
  visit: `person_id uuid not null references person (id), day integer not null,
    number integer generated always as identity, places text[], primary key (person_id, day), unique (day, number)`,
};

test('S4.1 a schema module that says what the database has differs in nothing', async (t) => {
  const { drift } = await databaseWith(t, agreed);
  t.same(await drift(), []);
});

test('S4.1 every difference of a schema module and the database is named', async (t) => {
  const { sql, drift } = await databaseWith(t, {
    person: `id uuid not null, email text, state text not null check (state in ('old', 'new', 'gone')),
      score bigint not null, label text not null default '', extra boolean`,
    visit: `person_id uuid not null, day integer not null, number integer not null, places text[],
      primary key (day, person_id), unique (day, number)`,
  });
  await sql`create table forgotten (at integer)`;
  await sql`create unique index on person (score)`;
  await sql`create unique index on person (label) where score > 0`;
  t.same(await drift(), [
    'only in the database: forgotten.at: integer, null',
    'only in the database: person.email: text, null',
    'only in the database: person.extra: boolean, null',
    'only in the database: person.label: text, not null, default',
    'only in the database: person.score: bigint, not null',
    'only in the database: person.state: one of gone, new, old',
    'only in the database: person: unique (score)',
    'only in the database: table forgotten',
    'only in the database: visit.number: integer, not null',
    'only in the database: visit: primary key (day, person_id)',
    'only in the schema module: person.email: text, not null',
    'only in the schema module: person.label: text, not null, generated',
    'only in the schema module: person.score: integer, not null, default',
    'only in the schema module: person.state: one of new, old',
    'only in the schema module: person: primary key (id)',
    'only in the schema module: person: unique (email)',
    'only in the schema module: visit.number: integer, not null, identity',
    'only in the schema module: visit: (person_id) references person (id)',
    'only in the schema module: visit: primary key (person_id, day)',
  ]);
});
