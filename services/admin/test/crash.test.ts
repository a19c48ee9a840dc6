import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import { AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { queryableOver } from '@strongroom/platform/database';
import {
  connectNats,
  createTestDatabase,
  createTestNats,
  createTestRedis,
  openSql,
  spawnProcess,
  until,
} from '@strongroom/testkit';
import { leafHash, recordToEntry, rootFromTiles } from '@strongroom/tlog';
import tap from 'tap';
import { recordToAuditRecord } from '../src/audit/audit-record.ts';
import { listRecordRange } from '../src/audit/audit-store.ts';
import { createTileReader, readLogState } from '../src/audit/log-store.ts';
import { makeEvent } from './log-fixture.ts';

/** Two in npm test; npm run test:chaos asks for the twenty of F28. */
const killCount = Number(process.env['STRONGROOM_KILLS'] ?? 2);
const eventCount = killCount * 400;
const startTimeoutMs = 60_000;

tap.setTimeout(60_000 + killCount * 20_000);

tap.test(
  'F28: kill -9 of either of two consumers, again and again under load: every event once, no gap, no fork',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-crash-'));
    const [adminDatabase, auditDatabase, nats, redis] = await Promise.all([
      createTestDatabase('admin'),
      createTestDatabase('audit'),
      createTestNats(),
      createTestRedis(),
    ]);
    const env = {
      DATABASE_URL: adminDatabase.runtimeUrl,
      AUDIT_DATABASE_URL: auditDatabase.runtimeUrl,
      NATS_URL: nats.url,
      REDIS_URL: redis.url,
      ENCRYPTION_MASTER_KEY: randomBytes(32).toString('hex'),
      AUDIT_KEYSTORE_DIR: join(folder, 'keys'),
      LOG_KEY_FILE: join(folder, 'log.key'),
      LOG_LEVEL: 'info',
      PORT: '0',
      AUTH_URL: 'http://127.0.0.1:9',
    };
    const start = async (name: string) => {
      const child = await spawnProcess({ name, entry: 'services/admin/src/main.ts', env });
      await child.waitForLog(({ msg }) => msg === 'admin is up', startTimeoutMs);
      return child;
    };
    const running = await Promise.all([start('admin-1'), start('admin-2')]);
    const sql = openSql(auditDatabase.superuserUrl);
    const connection = await connectNats(nats.url);
    t.teardown(async () => {
      await Promise.all(running.map((child) => child.kill()));
      await connection.close();
      await sql.end();
      await Promise.all([adminDatabase.drop(), auditDatabase.drop(), nats.close(), redis.close()]);
      await rm(folder, { recursive: true, force: true });
    });
    const stream = await until(() => connection.jetstreamManager().then((manager) => manager.streams.info('EVENTS')), {
      what: 'the stream',
      timeoutMs: 60_000,
    });
    t.ok(stream);

    const client = connection.jetstream();
    const events = Array.from({ length: eventCount }, () => makeEvent());
    let isDone = false;
    const load = (async () => {
      for (const event of events) {
        await client.publish(`strongroom.events.payments.${event.action}`, toBinary(AuditEventSchema, event), {
          msgID: event.id,
        });
      }
      isDone = true;
    })();
    for (let kill = 0; kill < killCount; kill += 1) {
      // Chaos needs no event to wait for: the moment is to be any.
      await delay(randomInt(200, 1_200));
      const victim = kill % 2;
      await running[victim]?.kill();
      running[victim] = await start(`admin-${victim + 1}`);
    }
    await load;
    t.ok(isDone);
    await until(
      async () => {
        const [row] =
          await sql`select count(*)::int as n from log_leaf where event_id = any(${events.map(({ id }) => id)}::uuid[])`;
        return row?.['n'] === eventCount ? true : undefined;
      },
      { what: 'every event in the log', timeoutMs: 90_000 },
    );
    const [counts] = await sql`
    select count(*)::int as records, count(distinct event_id)::int as ids, (max(sequence) + 1)::int as size from audit_record`;
    t.equal(counts?.['records'], counts?.['ids'], 'no event twice');
    t.equal(counts?.['records'], counts?.['size'], 'no position empty');
    const queries = queryableOver(sql as never);
    const { size } = await readLogState(queries);
    const records = await listRecordRange(queries, 0, size);
    const tiles = createTileReader(queries);
    const wrong = [];
    for (let tile = 0; tile * 256 < size; tile += 1) {
      const bytes = Buffer.from((await tiles(0, tile, 256)) ?? []);
      const own = records
        .slice(tile * 256, (tile + 1) * 256)
        .map((record) => leafHash(recordToEntry(recordToAuditRecord(record), record.salt)));
      if (!bytes.equals(Buffer.concat(own))) wrong.push(tile);
    }
    t.strictSame(wrong, [], 'every record is the one that its leaf commits to');
    const checkpoint = await until(
      async () =>
        (
          await sql`select size::int as size, root from log_checkpoint where size >= ${size} order by id desc limit 1`
        )[0],
      { what: 'a checkpoint of all', timeoutMs: 30_000 },
    );
    t.strictSame(
      Buffer.from(await rootFromTiles(Number(checkpoint?.['size']), tiles)),
      Buffer.from(checkpoint?.['root'] as Uint8Array),
      'one history',
    );
  },
);
