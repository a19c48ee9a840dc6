import { randomUUID } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { serviceAct } from '@strongroom/platform/database';
import { readServiceError } from '@strongroom/platform/errors';
import {
  connectNats,
  createFaultProxy,
  createTestNats,
  createTestRedis,
  type FaultProxy,
  until,
} from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { beginErasure, markStepDone } from '../src/personal-data/erasure-store.ts';
import { runErasure } from '../src/personal-data/run-erasure.ts';
import { startProfile } from './profile-fixture.ts';

const told = { phone: '+14155552671', bio: 'Pays bills', taxId: '123-45-6789' };
const paths = ['phone', 'bio', 'tax_id'];

/** The service with everything that may go away in front of it. */
async function startWithOutages(t: Test) {
  const [redis, nats] = [await createTestRedis(), await createTestNats()];
  t.teardown(() => Promise.all([redis.close(), nats.close()]));
  let proxy: FaultProxy | undefined;
  const databaseUrlFor = async (url: string) => {
    proxy = await createFaultProxy({ target: url });
    t.teardown(() => proxy?.close());
    return proxy.urlFor(url);
  };
  const service = await startProfile(t, { outage: { databaseUrlFor, redisUrl: redis.url, natsUrl: nats.url } });
  if (proxy === undefined) throw new Error('the service asked for no database');
  return { ...service, proxy, natsUrl: nats.url };
}

async function reasonOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof ConnectError) return readServiceError(error)?.reason ?? 'none';
  return error === undefined ? 'answered' : String(error);
}

t.test('S5.3: while the database is away a person sees the own profile as it was, and that it is stale', async (t) => {
  const { client, as, proxy, natsUrl } = await startWithOutages(t);
  const userId = randomUUID();
  await client.updateProfile({ profile: told, updateMask: { paths } }, as(userId));
  const { profile } = await client.getProfile({}, as(userId));
  t.equal(profile?.stale, false);
  proxy.refuse();
  const kept = await until(() => client.getProfile({}, as(userId)));
  t.same(kept.profile, { ...profile, stale: true });
  t.equal(await reasonOf(client.getProfile({ reveal: true }, as(userId))), 'UNAVAILABLE', 'nothing in clear');
  t.equal(await reasonOf(client.getProfile({}, as(randomUUID()))), 'UNAVAILABLE', 'to nobody else');
  t.equal(await reasonOf(client.updateProfile({ profile: told, updateMask: { paths } }, as(userId))), 'UNAVAILABLE');
  t.ok((await readsOnRecord(natsUrl)).includes(userId), 'S7.3: it is on record all the same');
  proxy.heal();
  await until(async () => (await client.getProfile({}, as(userId))).profile?.stale === false);
});

/** Whose sensitive reads went to the audit log past the outbox, which no relay empties here. */
async function readsOnRecord(natsUrl: string): Promise<string[]> {
  const nats = await connectNats(natsUrl);
  const manager = await nats.jetstreamManager();
  const { state } = await manager.streams.info('EVENTS');
  const actors: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const { data } = await manager.streams.getMessage('EVENTS', { seq });
    const event = fromBinary(AuditEventSchema, data);
    if (event.action === 'SENSITIVE_READ' && event.source === 'profile') actors.push(event.actorId);
  }
  await nats.close();
  return actors;
}

t.test('B-erase, S5.3: what was kept of an erased person is gone before the erasure is done', async (t) => {
  const { client, as, proxy, deps } = await startWithOutages(t);
  const userId = randomUUID();
  await client.updateProfile({ profile: told, updateMask: { paths } }, as(userId));
  await client.getProfile({}, as(userId));
  const act = serviceAct('profile', { actorName: 'profile' });
  const erasure = await deps.database.transaction(act, async (tx) => {
    const { id } = await beginErasure(tx, randomUUID(), userId);
    await markStepDone(tx, id, 'auth');
    await markStepDone(tx, id, 'payments');
    return await beginErasure(tx, id, userId);
  });
  t.equal(await reasonOf(runErasure(deps, erasure, { timeoutMs: 500 })), 'UNAVAILABLE', 'admin is away: not done yet');
  proxy.refuse();
  t.equal(await reasonOf(client.getProfile({}, as(userId))), 'UNAVAILABLE');
});
