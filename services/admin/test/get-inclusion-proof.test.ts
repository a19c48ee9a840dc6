import { randomUUID } from 'node:crypto';
import { isServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import {
  decodeEntryBundle,
  isConsistencyProofValid,
  leafHash,
  openCheckpoint,
  openReceipt,
  recordToLeafHash,
  rootFromTiles,
} from '@strongroom/tlog';
import tap from 'tap';
import { type AdminFixture, startAdmin, trustOf } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';

async function publishAll(admin: AdminFixture, count: number) {
  const events = Array.from({ length: count }, () => makeEvent());
  for (const event of events) await admin.publish(event);
  await until(
    async () => {
      const rows =
        await admin.superuser`select 1 from log_leaf where event_id = any(${events.map(({ id }) => id)}::uuid[])`;
      return rows.length === count ? true : undefined;
    },
    { what: 'the events in the log' },
  );
  return events;
}

tap.test(
  'B-receipt: a record by event id comes with a receipt that its holder checks with the public key alone',
  async (t) => {
    const admin = await startAdmin(t);
    const [event] = await publishAll(admin, 300).then((all) => all.slice(150));
    if (!event) throw new Error('no event');
    const proof = await admin.client.getInclusionProof({ eventId: event.id }, admin.as());
    const { record, index, checkpoint } = openReceipt(proof.tlogProof, await trustOf(admin));
    t.match(record, { id: event.id, action: event.action, traceId: event.traceId, resourceId: event.resourceId });
    t.equal(BigInt(index), proof.leafIndex);
    t.ok(checkpoint.size > index);
    t.strictSame(Buffer.from(proof.leafHash), recordToLeafHash(JSON.parse(proof.canonicalRecord), proof.salt));
    t.notOk(proof.canonicalRecord.includes('203.0.113.7'), 'the address is there only sealed');
    const moved = proof.tlogProof.replace(/^index \d+$/m, 'index 3');
    const trust = await trustOf(admin);
    t.throws(() => openReceipt(moved, trust), { code: 'INVALID_PROOF' });

    const bySequence = await admin.client.getInclusionProof({ sequence: proof.leafIndex }, admin.as());
    t.equal(bySequence.canonicalRecord, proof.canonicalRecord);
    const older = await admin.client.getInclusionProof({ eventId: event.id, treeSize: proof.treeSize }, admin.as());
    t.equal(older.treeSize, proof.treeSize, 'also against an earlier checkpoint');
    const refused = async (request: object) =>
      admin.client.getInclusionProof(request, admin.as()).catch((error: unknown) => error);
    t.ok(isServiceError(await refused({ eventId: randomUUID() }), 'AUDIT_EVENT_NOT_FOUND'));
    t.ok(isServiceError(await refused({ sequence: 1_000_000n }), 'AUDIT_EVENT_NOT_FOUND'));
    t.ok(isServiceError(await refused({}), 'VALIDATION_FAILED'));
  },
);

tap.test('B-log: checkpoints are consistent with each other, and tiles lead to their root', async (t) => {
  const admin = await startAdmin(t);
  await publishAll(admin, 40);
  await admin.checkpointer.cover(40);
  const first = await admin.client.getCheckpoint({}, admin.as());
  await publishAll(admin, 300);
  await admin.checkpointer.cover(340);
  const second = await admin.client.getCheckpoint({}, admin.as());
  const trust = await trustOf(admin);
  const [older, newer] = [first, second].map(({ checkpoint }) => openCheckpoint(checkpoint, trust).checkpoint);
  if (!older || !newer) throw new Error('no checkpoints');
  t.ok(newer.size > older.size);
  const { hashes } = await admin.client.getConsistencyProof(
    { fromSize: BigInt(older.size), toSize: BigInt(newer.size) },
    admin.as(),
  );
  t.ok(
    isConsistencyProofValid({
      oldSize: older.size,
      oldRoot: older.root,
      size: newer.size,
      root: newer.root,
      proof: hashes,
    }),
  );
  t.strictSame(
    await admin.client
      .getCheckpoint({ treeSize: BigInt(older.size) }, admin.as())
      .then((it) => Buffer.from(it.rootHash)),
    Buffer.from(older.root),
  );

  const gateway = await admin.service('gateway');
  const file = async (path: string) => Buffer.from((await gateway.getTile({ path }, admin.as())).file?.data ?? []);
  const { checkpoint } = openCheckpoint(await file('checkpoint'), trust);
  const root = await rootFromTiles(checkpoint.size, (level, index, width) =>
    file(`tile/${level}/${String(index).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`),
  );
  t.strictSame(Buffer.from(root), Buffer.from(checkpoint.root));
  const entries = decodeEntryBundle(await file('tile/entries/000'));
  const leaves = await file('tile/0/000');
  t.strictSame(Buffer.concat(entries.map((entry) => leafHash(entry))), leaves, 'entries hash to the leaves');
  for (const path of ['tile/0/999', 'tile/9/000', 'tile/0/0', '../etc', 'tile/0/001.p/255']) {
    const refused = await gateway.getTile({ path }, admin.as()).catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'TILE_NOT_FOUND'), path);
  }
});

tap.test('B-log: files of the log are for administrators, and for anyone once TLOG_PUBLIC says so', async (t) => {
  const path = { path: 'checkpoint' };
  const admin = await startAdmin(t);
  await publishAll(admin, 1);
  const gateway = await admin.service('gateway');
  const nobody = await gateway.getTile(path).catch((error: unknown) => error);
  t.ok(isServiceError(nobody, 'UNAUTHENTICATED'), 'nobody');
  const customer = await gateway.getTile(path, admin.as(randomUUID(), 'CUSTOMER')).catch((error: unknown) => error);
  t.ok(isServiceError(customer, 'FORBIDDEN'), 'a customer');
  t.ok((await gateway.getTile(path, admin.as())).file, 'an administrator');

  const open = await startAdmin(t, { env: { TLOG_PUBLIC: 'true' } });
  await publishAll(open, 1);
  t.ok((await (await open.service('gateway')).getTile(path)).file, 'anyone');
});

tap.test('B-log: a log that was cut back or changed gets no checkpoint, and somebody is told', async (t) => {
  const admin = await startAdmin(t);
  await publishAll(admin, 30);
  await admin.checkpointer.cover(30);
  await admin.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`update log_state set edge = set_byte(edge, 5, get_byte(edge, 5) # 255)`;
  });
  await publishAll(admin, 5);
  await until(async () => ((await admin.metrics.value('audit_verification_failures_total')) > 0 ? true : undefined), {
    what: 'the alarm',
  });
  const refused = await admin.checkpointer.cover(35).catch((error: unknown) => error);
  t.ok(isServiceError(refused, 'LOG_INCONSISTENT'));
});
