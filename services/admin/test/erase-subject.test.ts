import { randomBytes, randomUUID } from 'node:crypto';
import { cp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { createKeyring, type MasterKey } from '@strongroom/platform/crypto';
import { isServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import { isInclusionProofValid, parseCheckpoint, parseNote } from '@strongroom/tlog';
import type { TransactionSql } from 'postgres';
import tap from 'tap';
import { resealKeystore } from '../src/audit/retention-worker.ts';
import { openPersonKeystore } from '../src/erasure/person-keystore.ts';
import { type AdminFixture, startAdmin } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';

async function logged(admin: AdminFixture, ids: readonly string[]): Promise<void> {
  await until(
    async () => {
      const rows = await admin.superuser`select 1 from log_leaf where event_id = any(${[...ids]}::uuid[])`;
      return rows.length === ids.length ? true : undefined;
    },
    { what: 'the events in the log' },
  );
}

const recordColumns = `sequence, retention_class, event_id, action, resource_type, resource_id, actor_id, actor_kind, actor_name,
  subject_id, device_id, trace_id, request_id, occur_time, record_time, details, source, actor_sealed, subject_sealed, salt`;

/** What an operator's backup of that evening holds of the two databases: every record, as the server writes them out. */
async function saveBackup({
  superuser,
  adminSuperuser,
}: AdminFixture): Promise<{ records: string; baselines: string }> {
  const dump = async (sql: AdminFixture['superuser'], query: string) => {
    const stream = await sql.unsafe(`copy (${query}) to stdout`).readable();
    return text(stream);
  };
  return {
    records: await dump(superuser, `select ${recordColumns} from audit_record order by sequence`),
    baselines: await dump(adminSuperuser, 'select * from anomaly_baseline'),
  };
}

/** Puts the databases back to that evening, past every trigger, as a restore does. */
async function restoreBackup(admin: AdminFixture, backup: { records: string; baselines: string }): Promise<void> {
  const restore = async (sql: TransactionSql, statement: string, content: string) => {
    const stream = await sql.unsafe(statement).writable();
    stream.end(content);
    await finished(stream);
  };
  const known = backup.records.split('\n').length - 1;
  await admin.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`delete from audit_record where sequence < ${known}`;
    await restore(sql, `copy audit_record (${recordColumns}) from stdin`, backup.records);
  });
  await admin.adminSuperuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`delete from erasure`;
    await sql`delete from anomaly_baseline`;
    await restore(sql, 'copy anomaly_baseline from stdin', backup.baselines);
  });
}

async function isProven(admin: AdminFixture, eventId: string): Promise<boolean> {
  const proof = await admin.client.getInclusionProof({ eventId }, admin.as());
  const { root } = parseCheckpoint(parseNote(proof.checkpoint).text);
  const { leafIndex, treeSize, leafHash, hashes } = proof;
  return isInclusionProofValid({
    leaf: leafHash,
    index: Number(leafIndex),
    size: Number(treeSize),
    proof: hashes,
    root,
  });
}

tap.test(
  'B-erase: after erasure nobody reads what the log holds about the person, also with an older backup; proofs hold',
  async (t) => {
    const admin = await startAdmin(t);
    const [erased, other] = [randomUUID(), randomUUID()];
    const events = [
      makeEvent({ actorId: erased, ipAddress: '198.51.100.1' }),
      makeEvent({
        actorId: other,
        subjectId: erased,
        ipAddress: '198.51.100.2',
        personalDetails: { email: 'ada@example.com' },
      }),
      makeEvent({ actorId: '', actorKind: 'anonymous', subjectId: erased, ipAddress: '198.51.100.3' }),
      makeEvent({ actorId: other, ipAddress: '198.51.100.4' }),
    ];
    for (const event of events) await admin.publish(event);
    await logged(
      admin,
      events.map(({ id }) => id),
    );
    const read = async () => {
      const about = await admin.client.listAuditEvents({ subjectId: erased, resourceType: 'payment' }, admin.as());
      const by = await admin.client.listAuditEvents({ actorId: erased, resourceType: 'payment' }, admin.as());
      const others = await admin.client.listAuditEvents({ actorId: other, resourceType: 'payment' }, admin.as());
      return { about: about.events, by: by.events, others: others.events };
    };
    t.match((await read()).by, [{ ipAddress: '198.51.100.1', erased: false }]);
    const backup = await saveBackup(admin);

    const profile = await admin.service('profile');
    t.equal((await profile.eraseSubject({ userId: erased })).erased, true);
    t.equal((await profile.eraseSubject({ userId: erased })).erased, false, 'asked again, there is nothing left to do');

    const after = await read();
    t.match(after.by, [{ ipAddress: '', userAgent: '', erased: true }]);
    const byId = new Map(after.about.map((event) => [event.id, event]));
    t.match(
      byId.get(events[1]?.id ?? ''),
      { ipAddress: '198.51.100.2', details: { currency: 'EUR' }, erased: true },
      "the other's address stays his",
    );
    t.notMatch(byId.get(events[1]?.id ?? ''), { details: { email: 'ada@example.com' } });
    t.match(
      byId.get(events[2]?.id ?? ''),
      { ipAddress: '', erased: true },
      'an anonymous caller is kept with the subject',
    );
    t.match(
      after.others.find(({ id }) => id === events[3]?.id),
      { ipAddress: '198.51.100.4', erased: false },
    );
    for (const { id } of events) t.ok(await isProven(admin, id), 'every proof holds');

    const record = await until(
      async () =>
        (await admin.client.listAuditEvents({ action: 'DATA_ERASED', subjectId: erased }, admin.as())).events[0],
      { what: 'the record of the erasure' },
    );
    t.match(record, { actorKind: 'service', actorName: 'profile' });

    await restoreBackup(admin, backup);
    const restored = await read();
    t.match(restored.by, [{ ipAddress: '', userAgent: '', erased: true }], 'with the older backup in place');
    t.match(
      restored.others.find(({ id }) => id === events[3]?.id),
      { ipAddress: '198.51.100.4', erased: false },
    );
    for (const { id } of events) t.ok(await isProven(admin, id), 'every proof holds over the restored records');
    const reopened = await openPersonKeystore(admin.env.AUDIT_KEYSTORE_DIR, admin.keyring);
    t.equal(await reopened.keyOf(erased), undefined, 'the backup is whole, and no key in it or out of it opens it');
    t.ok(await reopened.keyOf(other));

    const late = makeEvent({ actorId: erased, ipAddress: '198.51.100.5' });
    await admin.publish(late);
    await logged(admin, [late.id]);
    const [sealed] = await admin.superuser`select actor_sealed from audit_record where event_id = ${late.id}::uuid`;
    t.equal(sealed?.['actor_sealed'], null, 'what comes late about an erased person is not collected again');
  },
);

tap.test(
  'B-erase: a held person is not erased; the hold is recorded, and its release lets the erasure through',
  async (t) => {
    const admin = await startAdmin(t);
    const userId = randomUUID();
    const profile = await admin.service('profile');
    const { legalHold } = await admin.client.setLegalHold({ userId, reason: 'dispute 17' }, admin.as());
    t.match(legalHold, { userId, reason: 'dispute 17', actorId: admin.adminId });
    t.equal((await admin.client.setLegalHold({ userId, reason: 'again' }, admin.as())).legalHold?.id, legalHold?.id);
    t.equal((await profile.checkLegalHold({ userId })).held, true);
    const refused = await profile.eraseSubject({ userId }).catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'LEGAL_HOLD_ACTIVE'));
    t.ok(await admin.keystore.keyOf(userId), 'the key is still there');
    t.ok((await admin.client.releaseLegalHold({ userId, reason: 'settled' }, admin.as())).legalHold?.releaseTime);
    t.equal((await profile.checkLegalHold({ userId })).held, false);
    t.equal((await profile.eraseSubject({ userId })).erased, true);
    const none = await admin.client.releaseLegalHold({ userId }, admin.as()).catch((error: unknown) => error);
    t.ok(isServiceError(none, 'LEGAL_HOLD_NOT_FOUND'));
    await until(
      async () => {
        const { events } = await admin.client.listAuditEvents(
          { action: 'LEGAL_HOLD_CHANGED', subjectId: userId },
          admin.as(),
        );
        return events.length === 2 ? true : undefined;
      },
      { what: 'both changes of the hold in the log' },
    );
  },
);

tap.test('B-erase: a person gets what the log holds about him, and nothing personal of others', async (t) => {
  const admin = await startAdmin(t);
  const [userId, officer] = [randomUUID(), randomUUID()];
  const events = [
    makeEvent({ actorId: userId, ipAddress: '198.51.100.1' }),
    makeEvent({ actorId: officer, subjectId: userId, ipAddress: '198.51.100.66', personalDetails: { name: 'Ada' } }),
    makeEvent({ actorId: userId, subjectId: officer, personalDetails: { name: 'Grace' } }),
    makeEvent(),
  ];
  for (const event of events) await admin.publish(event);
  await logged(
    admin,
    events.map(({ id }) => id),
  );
  const { json } = await (await admin.service('profile')).exportSubjectEvents({ userId });
  const text = Buffer.from(json).toString('utf8');
  const { records, complete } = JSON.parse(text);
  t.equal(complete, true);
  t.strictSame(
    records.map(({ id }: { id: string }) => id),
    events.slice(0, 3).map(({ id }) => id),
  );
  t.match(records[0], { ipAddress: '198.51.100.1', byYou: true });
  t.match(records[1], { details: { name: 'Ada' }, aboutYou: true });
  t.notOk(text.includes('198.51.100.66') || text.includes('Grace'), 'personal facts of others are left out');
});

tap.test(
  'B-erase, F32: erasures at once all hold, also while the keystore is sealed under a new master key',
  async (t) => {
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const admin = await startAdmin(t, {
      env: { ENCRYPTION_MASTER_KEY: older.toString('hex'), ENCRYPTION_PREVIOUS_KEYS: `next:${newer.toString('hex')}` },
    });
    const profile = await admin.service('profile');
    // Its own pass, under the older key, is over.
    await admin.workers.stop();
    // Among 64 files: some share one.
    const people = Array.from({ length: 24 }, () => randomUUID());
    const kept = await admin.keystore.keyOf('somebody');
    const folder = admin.env.AUDIT_KEYSTORE_DIR;
    const rotated = createKeyring([
      { id: 'next', key: newer },
      { id: 'local-1', key: older },
    ]);
    const keystore = await openPersonKeystore(folder, rotated);
    const reseal = () => resealKeystore({ database: admin.database, keystore });
    const erasures = people.map((userId) => profile.eraseSubject({ userId }, { timeoutMs: 30_000 }));
    const [resealed] = await Promise.all([reseal(), ...erasures]);
    t.ok(resealed > 0);
    await reseal();
    const alone = await openPersonKeystore(folder, createKeyring([{ id: 'next', key: newer }]));
    const left = (await Promise.all(people.map((id) => alone.keyOf(id)))).filter((key) => key !== undefined);
    t.equal(left.length, 0, 'no erased person has come back');
    t.strictSame(await alone.keyOf('somebody'), kept, 'the others keep their keys, without the older master key');
  },
);

tap.test('F32: instances with the older and the newer master key end their passes over the keystore', async (t) => {
  const admin = await startAdmin(t);
  const older: MasterKey = { id: 'older', key: randomBytes(32) };
  const newer: MasterKey = { id: 'newer', key: randomBytes(32) };
  const folder = join(admin.folder, 'shared');
  const before = await openPersonKeystore(folder, createKeyring([older, newer]));
  const after = await openPersonKeystore(folder, createKeyring([newer, older]));
  const key = await before.keyOf('somebody');
  const passes = [after, before, after, before].map((keystore) =>
    resealKeystore({ database: admin.database, keystore }),
  );
  for (const sealed of await Promise.all(passes)) t.ok(sealed <= 64, 'each file once');
  await resealKeystore({ database: admin.database, keystore: after });
  t.strictSame(await after.listStaleFiles(), []);
  t.strictSame(await after.keyOf('somebody'), key);
});

tap.test(
  'B-erase: the keystore keeps all keys but the erased ones, is closed to others, and refuses to lose a file',
  async (t) => {
    const admin = await startAdmin(t);
    const folder = admin.env.AUDIT_KEYSTORE_DIR;
    const people = Array.from({ length: 200 }, () => randomUUID());
    const before = await Promise.all(people.map((id) => admin.keystore.keyOf(id)));
    const second = await openPersonKeystore(folder, admin.keyring);
    t.strictSame(await Promise.all(people.map((id) => second.keyOf(id))), before, 'two processes derive the same keys');
    for (const id of people.slice(0, 100)) t.equal(await admin.keystore.erase(id), true);
    const after = await Promise.all(people.map((id) => second.keyOf(id)));
    t.strictSame(
      after,
      before.map((key, at) => (at < 100 ? undefined : key)),
      'the other process knows at once',
    );
    for (const name of await readdir(folder)) t.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
    const copy = join(admin.folder, 'copy');
    await cp(folder, copy, { recursive: true });
    const { rm } = await import('node:fs/promises');
    await rm(join(copy, 'shard-07'));
    await t.rejects(openPersonKeystore(copy, admin.keyring), /lacks 1 files/);
  },
);
