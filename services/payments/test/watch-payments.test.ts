import { randomUUID } from 'node:crypto';
import type { WatchPaymentsResponse } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { createTestDatabase, openSql, until } from '@strongroom/testkit';
import t from 'tap';
import type { Person } from './auth-upstream.ts';
import { instantPayment, type PaymentsFixture, startPayments } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

/** Collects what a stream says until it is ended. */
function watch(fixture: PaymentsFixture, person: Person, afterEventId = '') {
  const events: WatchPaymentsResponse[] = [];
  const abort = new AbortController();
  const ended = (async () => {
    const options = { ...fixture.as(person), signal: abort.signal };
    for await (const event of fixture.connect.watchPayments({ afterEventId }, options)) events.push(event);
  })().catch((error: unknown) => error);
  return {
    events,
    ended,
    opened: () => until(() => events.length > 0, { what: 'the stream being open' }),
    stop: () => abort.abort(),
  };
}

t.test('contract, older faults 6, 39, 40: both parties see each change once, in order, others nothing', async (t) => {
  const fixture = await startPayments(t, { instances: 2 });
  const { sender, recipient } = await fixture.pair();
  const stranger = fixture.auth.addPerson();
  const streams = [sender, recipient, stranger].map((person) => watch(fixture, person));
  await Promise.all(streams.map((stream) => stream.opened()));
  // The change is made at the other instance.
  const other = fixture.instances[1]?.connect ?? fixture.connect;
  const { payment } = await other.createPayment(instantPayment(recipient), fixture.as(sender, 'one'));
  for (const stream of streams.slice(0, 2)) {
    await until(() => stream.events.some((event) => event.payment?.status === 3), { what: 'the completed payment' });
    const versions = stream.events.flatMap(({ payment: seen }) => (seen === undefined ? [] : [seen.id]));
    t.ok(versions.every((id) => id === payment?.id));
    t.equal(new Set(stream.events.map(({ eventId }) => eventId)).size, stream.events.length, 'each event once');
  }
  t.same(
    streams[2]?.events.filter((event) => event.payment !== undefined),
    [],
    'a stranger sees nothing',
  );
  for (const stream of streams) stream.stop();
});

t.test('contract: a stream goes on after the last event that was seen', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const first = watch(fixture, sender);
  await first.opened();
  const made: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    const { payment } = await fixture.connect.createPayment(
      instantPayment(recipient),
      fixture.as(sender, `k-${index}`),
    );
    made.push(payment?.id ?? '');
  }
  await until(() => first.events.length >= 2);
  first.stop();
  const seen = first.events.filter((event) => event.payment !== undefined);
  const second = watch(fixture, sender, seen[0]?.eventId);
  await until(() => second.events.filter((event) => event.payment !== undefined).length === 2);
  t.same(
    [seen[0], ...second.events].flatMap((event) => event?.payment?.id ?? []),
    made,
    'none lost, none twice',
  );
  second.stop();
  const bad = watch(fixture, sender, 'nonsense');
  t.match(await bad.ended, /breaks the rules/);
});

t.test('contract: a change that commits late is not lost behind one that commits early', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const stream = watch(fixture, sender);
  await stream.opened();
  const insert = (sql: typeof fixture.superuser) => sql`
    insert into payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description, create_time,
      update_time, change_actor_kind)
    values (${randomUUID()}, 'instant', 'pending', 'EUR', 5, ${sender.id}, ${recipient.id}, 'x', now(), now(), 'user')`;
  await fixture.superuser.begin(async (slow) => {
    await insert(slow as unknown as typeof fixture.superuser);
    // Committed while the first is still open, with a larger id.
    await fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, 'quick'));
    const looked = stream.events.length;
    await until(async () => (await fixture.superuser`select 1 from payments`).length === 1);
    t.equal(stream.events.length, looked, 'it waits for the older one');
  });
  await until(() => stream.events.filter((event) => event.payment !== undefined).length === 2);
  stream.stop();
});

t.test('contract: a long transaction of another database holds up nobody', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const other = await createTestDatabase('payments');
  const elsewhere = openSql(other.superuserUrl);
  await elsewhere.begin(async (long) => {
    await long`select pg_current_xact_id()`;
    const stream = watch(fixture, sender);
    await stream.opened();
    const { payment } = await fixture.connect.createPayment(instantPayment(recipient), fixture.as(sender, 'one'));
    const seen = await until(() => stream.events.find((event) => event.payment !== undefined), {
      what: 'the change, while the other transaction runs',
    });
    t.equal(seen.payment?.id, payment?.id);
    stream.stop();
  });
  await elsewhere.end();
  await other.drop();
});

t.test('contract: streams are kept alive, bounded, and end with their token', async (t) => {
  const fixture = await startPayments(t, { variables: { WATCH_KEEP_ALIVE_MS: '50' } });
  const person = fixture.auth.addPerson();
  const streams = Array.from({ length: 5 }, () => watch(fixture, person));
  await Promise.all(streams.map((stream) => stream.opened()));
  const open = streams[0];
  await until(() => (open?.events.length ?? 0) > 3, { what: 'keep-alives' });
  t.ok(open?.events.every((event) => event.payment === undefined && event.eventId !== ''));
  t.match(await watch(fixture, person).ended, /too many/);
  fixture.tokens.revoke(person.id);
  for (const stream of streams) t.match(await stream.ended, /revoked/);
  t.equal(fixture.deps.streams.total, 0, 'nothing is left open');
  t.equal(await reasonOf(fixture.connect.listPayments({}, fixture.as(person))), 'TOKEN_REVOKED');
});
