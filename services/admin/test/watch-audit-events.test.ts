import type { WatchAuditEventsResponse } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { isServiceError } from '@strongroom/platform/errors';
import tap from 'tap';
import { startAdmin } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';

/** The next records of a watch, keep-alives left out. */
async function take(stream: AsyncIterator<WatchAuditEventsResponse>, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const { value, done } = await stream.next();
    if (done) throw new Error('the watch has ended');
    if (value.event) ids.push(value.event.id);
  }
  return ids;
}

tap.test(
  'B-console: the live tail gives each new record once, in order, and resumes after the last one seen',
  async (t) => {
    const admin = await startAdmin(t);
    const watch = (request: object = {}) => {
      const ending = new AbortController();
      t.teardown(() => ending.abort());
      const stream = admin.client.watchAuditEvents(
        { resourceType: 'payment', ...request },
        { ...admin.as(), signal: ending.signal },
      );
      return stream[Symbol.asyncIterator]();
    };
    const live = watch();
    t.notOk((await live.next()).value?.event, 'it stands before anything happens');
    const events = Array.from({ length: 130 }, () => makeEvent());
    for (const event of events) await admin.publish(event);
    const ids = events.map(({ id }) => id);
    t.strictSame(await take(live, 130), ids);

    const { events: known } = await admin.client.listAuditEvents({ resourceId: events[99]?.resourceId }, admin.as());
    const resumed = watch({ afterSequence: known[0]?.sequence });
    t.strictSame(await take(resumed, 30), ids.slice(100), 'what came after the record named, and nothing twice');

    const filtered = watch({ action: 'PAYMENT_FAILED' });
    await filtered.next();
    const [other, wanted] = [makeEvent(), makeEvent({ action: 'PAYMENT_FAILED' })];
    await admin.publish(other);
    await admin.publish(wanted);
    t.strictSame(await take(filtered, 1), [wanted.id], 'only what was asked for');
  },
);

tap.test('B-console: watches are bounded, and an unknown action is refused', async (t) => {
  const admin = await startAdmin(t);
  const refusal = async (request: object) => {
    try {
      for await (const _ of admin.client.watchAuditEvents(request, admin.as())) return undefined;
    } catch (error) {
      return error;
    }
  };
  t.ok(isServiceError(await refusal({ action: 'NO_SUCH' }), 'VALIDATION_FAILED'));
  const leaves = Array.from({ length: 64 }, () => admin.watchers.enter());
  t.ok(isServiceError(await refusal({}), 'TOO_MANY_WATCHERS'));
  for (const leave of leaves) leave();
  t.notOk(await refusal({}), 'one that was given up makes room again');
});
