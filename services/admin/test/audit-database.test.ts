import { randomUUID } from 'node:crypto';
import { openSql } from '@strongroom/testkit';
import tap from 'tap';
import { createLogFixture, makeEvent } from './log-fixture.ts';

const changes = (table: string) => [
  `update ${table} set ${column(table)} = ${column(table)}`,
  `delete from ${table}`,
  `truncate ${table}`,
];
const column = (table: string) =>
  table.startsWith('audit_record')
    ? 'action'
    : table === 'log_leaf'
      ? 'entry'
      : table === 'log_tile'
        ? 'bytes'
        : 'note';

tap.test(
  'S7.3, fault 36: the log can only be added to: neither the service nor the owner of its tables changes or empties one',
  async (t) => {
    const log = await createLogFixture();
    t.teardown(log.close);
    await log.append(Array.from({ length: 300 }, () => makeEvent()));
    await log.checkpointer.cover(300);
    const [leaf] = await log.superuser`select tableoid::regclass::text as name from audit_record limit 1`;
    const tables = [
      'audit_record',
      'audit_record_money',
      String(leaf?.['name']),
      'log_leaf',
      'log_tile',
      'log_checkpoint',
    ];
    for (const [who, url] of [
      ['the service', log.database.runtimeUrl],
      ['the owner', log.database.ownerUrl],
    ] as const) {
      const sql = openSql(url);
      for (const table of tables) {
        for (const statement of changes(table)) {
          t.match(
            await sql.unsafe(statement).catch((error: unknown) => error),
            { code: '42501' },
            `${who}: ${statement}`,
          );
        }
      }
      const back = sql`update log_state set size = size - 1`;
      t.match(await back.catch((error: unknown) => error), { code: '42501' }, `${who} can't turn the log back`);
      await sql.end();
    }
    const service = openSql(log.database.runtimeUrl);
    t.teardown(() => service.end());
    for (const statement of [
      'create table mine (id int)',
      'alter table audit_record disable trigger all',
      'update retention_class set days = 1',
      `drop table ${leaf?.['name']}`,
    ]) {
      t.match(
        await service.unsafe(statement).catch((error: unknown) => error),
        { code: '42501' },
        `the service: ${statement}`,
      );
    }
  },
);

tap.test('S4.2: every filter of the list has an index', async (t) => {
  const log = await createLogFixture();
  t.teardown(log.close);
  const actorId = randomUUID();
  for (let batch = 0; batch < 6; batch += 1) {
    await log.append(
      Array.from({ length: 1_000 }, (_, at) =>
        makeEvent({ actorId: at === 0 ? actorId : randomUUID(), subjectId: randomUUID() }),
      ),
    );
  }
  await log.superuser`vacuum analyze audit_record`;
  const [full] = await log.superuser`select tableoid::regclass::text as name from audit_record limit 1`;
  const plan = async (condition: string) => {
    const rows = await log.superuser.unsafe(
      `explain select * from audit_record where ${condition} order by sequence desc limit 20`,
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };
  const conditions = [
    'true',
    'sequence < 3000',
    `actor_id = '${actorId}'`,
    `subject_id = '${actorId}'`,
    `action = 'USER_LOGIN'`,
    `resource_id = '${actorId}'`,
    `resource_type = 'user'`,
    `search_text ilike '%${actorId}%'`,
  ];
  for (const condition of conditions) {
    const text = await plan(condition);
    t.match(text, /Index/, condition);
    t.notOk(
      text.includes(`Seq Scan on ${full?.['name']} `),
      `${condition}: the partition that holds all is not read through`,
    );
  }
});
