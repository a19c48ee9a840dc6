import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createFieldCipher,
  createKeyring,
  type Reencrypted,
  readSealed,
  reencryptColumn,
  type SealedColumn,
  sealedColumns,
} from '@strongroom/platform/crypto';
import { createTestDatabase, openSql } from '@strongroom/testkit';
import t from 'tap';

const older = { id: 'key-2025', key: randomBytes(32) };
const newer = { id: 'key-2026', key: randomBytes(32) };
const column: SealedColumn = { table: 'profiles', column: 'phone', row: 'user_id::text', purpose: 'field' };
const root = join(import.meta.dirname, '..', '..', '..', '..');

/** bytea that is nobody's secret: hashes, public keys, pictures, reports, trees. */
const unsealed =
  /(?<!idempotency_keys\.request_)hash|fingerprint|^(used_proofs|rate_keys|attempts)\.|\.(key|credential_id|public_key|content|payload|digest|salt|entry|bytes|root|edge|number_index|actor_sealed|subject_sealed)$/;

t.test('S4.3: every sealed column of every database is in the list that a rotation goes through', async (t) => {
  for (const [name, columns] of Object.entries(sealedColumns)) {
    const database = await createTestDatabase(name);
    const sql = openSql(database.superuserUrl);
    const rows = await sql`
      select table_name || '.' || column_name as name from information_schema.columns
      where table_schema = 'public' and data_type = 'bytea' and table_name !~ '^audit_record_' order by 1`;
    const found = rows.map((row) => String(row['name'])).filter((each) => !unsealed.test(each));
    t.strictSame(found, columns.map((each) => `${each.table}.${each.column}`).sort(), name);
    for (const each of columns) {
      const row = sql`select ${sql.unsafe(each.row)} as id, ${sql(each.column)} from ${sql(each.table)} limit 1`;
      t.ok(await row, `${each.table}: the row's id can be read`);
    }
    await sql.end();
    await database.drop();
  }
});

async function openProfiles(count: number) {
  const database = await createTestDatabase('profile');
  const sql = openSql(database.superuserUrl);
  const cipher = createFieldCipher(createKeyring([older]));
  const ids = Array.from({ length: count }, () => randomUUID());
  for (const id of ids) {
    const phone = cipher.seal(`+49 ${id}`, { table: 'profiles', column: 'phone', row: id });
    await sql`insert into profiles (user_id, phone) values (${id}, ${phone})`;
  }
  return { database, sql, ids };
}

t.test('F32: all values are sealed again while people write, and the older key can go', async (t) => {
  const { database, sql, ids } = await openProfiles(600);
  t.teardown(() => database.drop());
  t.teardown(() => sql.end());
  const rotating = createKeyring([newer, older]);
  const cipher = createFieldCipher(rotating);
  const place = (row: string) => ({ table: 'profiles', column: 'phone', row });
  const seen: number[] = [];
  let isDone = false;
  const written = new Map<string, string>();
  const people = (async () => {
    for (let at = 0; !isDone; at += 1) {
      const id = ids[(at * 7) % ids.length] as string;
      await sql`update profiles set phone = ${cipher.seal(`+1 ${at}`, place(id))}, version = version + 1 where user_id = ${id}`;
      written.set(id, `+1 ${at}`);
    }
  })();
  const job = openSql(database.runtimeUrl);
  t.teardown(() => job.end());
  const onProgress = (done: number) => seen.push(done);
  const result = await reencryptColumn({ sql: job, keyring: rotating, column, onProgress });
  isDone = true;
  await people;
  t.match(result, { damaged: 0, left: 0 } satisfies Partial<Reencrypted>);
  t.ok(written.size > 0 && result.sealedAgain > 0 && seen.length > 1, 'in batches, beside the writes of people');
  const alone = createFieldCipher(createKeyring([newer]));
  const rows = await sql`select user_id::text as id, phone from profiles`;
  for (const row of rows) {
    const id = String(row['id']);
    const phone = alone.open(row['phone'], place(id));
    if (phone !== (written.get(id) ?? `+49 ${id}`)) t.fail(`${id} holds ${phone}`);
  }
  t.ok(
    rows.every((row) => readSealed(row['phone']).keyId === newer.id),
    'no older key id remains',
  );
  const [write] = await sql`
    select record from strongroom.outbox where record ->> 'actorName' = 're-encryption' limit 1`;
  t.match(write?.['record'], { actorKind: 'service', details: { table: 'profiles', columns: 'phone' } });
});

t.test(
  'F31, F32: one damaged value holds up no other, and the command says that the older key must stay',
  async (t) => {
    const { database, sql, ids } = await openProfiles(3);
    t.teardown(() => database.drop());
    t.teardown(() => sql.end());
    await sql`update profiles set phone = set_byte(phone, 40, get_byte(phone, 40) # 1) where user_id = ${ids[0] ?? ''}`;
    const run = () =>
      promisify(execFile)(process.execPath, ['scripts/secrets.ts', 'rotate', '--service', 'profile'], {
        cwd: root,
        env: {
          PATH: process.env['PATH'],
          STRONGROOM_ENV: 'test',
          DATABASE_URL: database.runtimeUrl,
          ENCRYPTION_MASTER_KEY: newer.key.toString('hex'),
          ENCRYPTION_KEY_ID: newer.id,
          ENCRYPTION_PREVIOUS_KEYS: `${older.id}:${older.key.toString('hex')}`,
        },
      });
    await t.rejects(run(), { code: 1, stdout: /profiles\.phone: 2 sealed again under key-2026, 1 open with no key/ });
    await sql`delete from profiles where user_id = ${ids[0] ?? ''}`;
    const { stdout } = await run();
    t.match(stdout, 'profiles.phone: 0 sealed again under key-2026\n', 'run again, it finds nothing to do');
  },
);
