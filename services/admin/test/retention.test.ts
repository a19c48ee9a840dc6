import { randomUUID } from 'node:crypto';
import { formatVerifierKey, verifyExport } from '@strongroom/tlog';
import type postgres from 'postgres';
import tap from 'tap';
import { exportAuditLog } from '../src/audit/export-log.ts';
import { readLogState } from '../src/audit/log-store.ts';
import { prunePartition } from '../src/audit/retention-worker.ts';
import { startAdmin } from './admin-fixture.ts';
import { createLogFixture, makeEvent, origin } from './log-fixture.ts';

async function verify(log: Awaited<ReturnType<typeof createLogFixture>>) {
  const logKeys = [formatVerifierKey(log.signer.key)];
  return verifyExport({
    chunks: exportAuditLog({ auditDatabase: log.auditDatabase, origin, logKeys, witnessKeys: [], cosignedOnly: false }),
    logKeys,
    quorum: 0,
    nowSeconds: Math.floor(Date.now() / 1_000),
  });
}

/** As if 20 months had gone by for what one class holds now. */
async function ageFirstPartition(sql: postgres.TransactionSql, name: string): Promise<void> {
  const parent = `audit_record_${name}`;
  const [first] = await sql`
    select inhrelid::regclass::text as partition from pg_inherits where inhparent = ${parent}::regclass order by 1 limit 1`;
  const partition = String(first?.['partition']);
  await sql.unsafe(`alter table ${parent} detach partition ${partition}`);
  await sql.unsafe(`update ${partition} set record_time = record_time - interval '20 months'`);
  const [span] = await sql.unsafe(`
    select date_trunc('month', min(record_time))::text as low,
      (date_trunc('month', min(record_time)) + interval '1 month')::text as high from ${partition}`);
  await sql.unsafe(
    `alter table ${parent} attach partition ${partition} for values from ('${span?.['low']}') to ('${span?.['high']}')`,
  );
}

tap.test(
  'S7.3: retention drops a class past its time as a partition, spares held persons, and every proof above stays valid',
  async (t) => {
    const log = await createLogFixture();
    const admin = await startAdmin(t);
    t.teardown(log.close);
    const held = randomUUID();
    const kinds = ['USER_LOGIN', 'PAYMENT_CREATED', 'DB_WRITE'];
    await log.append(
      Array.from({ length: 300 }, (_, at) =>
        makeEvent({ action: kinds[at % 3], actorId: at === 7 ? held : randomUUID() }),
      ),
    );
    await log.checkpointer.cover(300);
    const deps = { auditDatabase: log.auditDatabase, database: admin.database, logger: log.logger };
    t.equal(await prunePartition(deps), undefined, 'nothing is past its retention');

    await log.superuser.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      for (const name of ['authentication', 'change']) await ageFirstPartition(sql, name);
    });
    await admin.client.setLegalHold({ userId: held, reason: 'dispute' }, admin.as());
    const holder = await log.superuser`select retention_class from audit_record where actor_id = ${held}::uuid`;
    t.equal(holder[0]?.['retention_class'], 'money', 'the held person acted in another class');
    await admin.client.setLegalHold(
      {
        userId: String(
          (
            await log.superuser`select actor_id::text as id from audit_record where retention_class = 'change' limit 1`
          )[0]?.['id'],
        ),
        reason: 'dispute',
      },
      admin.as(),
    );

    t.match(await prunePartition(deps), { retentionClass: 'authentication', recordCount: 100, lastSequence: 297 });
    t.equal(await prunePartition(deps), undefined, 'the other one holds a record of a held person');
    t.equal((await readLogState(log.auditDatabase)).minimumIndex, 298);
    const refused = await log.auditDatabase.sql`drop table audit_record_change`.catch((error: unknown) => error);
    t.match(refused, { code: '42501' }, 'the runtime role itself can drop nothing');
  },
);

tap.test(
  'S7.3: an export after pruning verifies: what is gone is covered by the signed minimum index, and a loss above it is found',
  async (t) => {
    const log = await createLogFixture();
    t.teardown(log.close);
    await log.append(
      Array.from({ length: 300 }, (_, at) => makeEvent({ action: at % 2 === 0 ? 'USER_LOGIN' : 'PAYMENT_CREATED' })),
    );
    await log.checkpointer.cover(300);
    await log.superuser.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      await sql`delete from audit_record where retention_class = 'authentication' and sequence < 100`;
      await sql`update log_state set minimum_index = 99`;
    });
    await log.append([makeEvent()]);
    await log.checkpointer.cover(301);
    t.match(await verify(log), { ok: true, rowsPruned: 50, rowsHashed: 251, minimumIndex: 99 });
    await log.superuser.begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      await sql`delete from audit_record where sequence = 200`;
    });
    t.match(await verify(log), { ok: false, missing: { from: 200, to: 201 } });
  },
);
