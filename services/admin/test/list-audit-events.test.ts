import { randomUUID } from 'node:crypto';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { isServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import tap from 'tap';
import { type AdminFixture, startAdmin } from './admin-fixture.ts';
import { makeEvent } from './log-fixture.ts';

async function stored(admin: AdminFixture, ids: readonly string[]): Promise<void> {
  await until(
    async () => {
      const rows = await admin.superuser`select 1 from log_leaf where event_id = any(${[...ids]}::uuid[])`;
      return rows.length === ids.length ? true : undefined;
    },
    { what: 'the events in the log' },
  );
}

tap.test('S1.4: events from the bus are listed, newest first, by every filter, page by page', async (t) => {
  const admin = await startAdmin(t);
  const [actorId, subjectId] = [randomUUID(), randomUUID()];
  const events = Array.from({ length: 25 }, (_, at) =>
    makeEvent({
      action: at % 5 === 0 ? 'USER_LOGIN' : 'PAYMENT_CREATED',
      resourceType: at % 5 === 0 ? 'session' : 'payment',
      actorId: at % 2 === 0 ? actorId : randomUUID(),
      subjectId,
      ipAddress: '203.0.113.9',
      details: { order: `100%_${at}` },
      personalDetails: { email: `person${at}@example.com` },
      occurTime: timestampFromDate(new Date(Date.UTC(2026, 0, 1, 0, at))),
    }),
  );
  for (const event of events) await admin.publish(event);
  await stored(
    admin,
    events.map(({ id }) => id),
  );
  const list = (request: object, who = admin.as()) => admin.client.listAuditEvents({ subjectId, ...request }, who);

  const all = await list({ pageSize: 100 });
  t.strictSame(
    all.events.map(({ id }) => id),
    events.map(({ id }) => id).reverse(),
    'newest first',
  );
  t.match(all.events[0], {
    ipAddress: '203.0.113.9',
    userAgent: 'curl/8',
    details: { order: '100%_24', email: 'person24@example.com' },
    erased: false,
    traceId: events[24]?.traceId,
  });

  const pages: string[] = [];
  let pageToken = '';
  do {
    const page = await list({ pageSize: 7, pageToken });
    pages.push(...page.events.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.strictSame(
    pages,
    all.events.map(({ id }) => id),
    'the pages give every record once, in order',
  );

  t.equal((await list({ action: 'USER_LOGIN' })).events.length, 5, 'by action');
  t.equal((await list({ actorId })).events.length, 13, 'by actor');
  t.equal((await list({ resourceType: 'session' })).events.length, 5, 'by resource type');
  t.equal((await list({ resourceId: events[3]?.resourceId })).events.length, 1, 'by resource');
  const at = (minute: number) => timestampFromDate(new Date(Date.UTC(2026, 0, 1, 0, minute)));
  t.equal((await list({ from: at(10), to: at(12) })).events.length, 2, 'from and to, exclusive');
  t.equal((await list({ text: '100%_7' })).events.length, 1, 'text is taken literally: % and _ are no wildcards');
  t.equal((await list({ text: '100%%' })).events.length, 0);
  t.equal((await list({ text: events[4]?.traceId ?? '-' })).events.length, 1, 'by part of an id');
  t.strictSame((await list({ orderBy: 'sequence asc', pageSize: 1 })).events[0]?.id, events[0]?.id, 'oldest first');
});

tap.test(
  'fault 38: what is about a person is found, and a page is one query however many records it holds',
  async (t) => {
    // Whoever looked up a name for each record would ask auth, which answers nothing here.
    const admin = await startAdmin(t, { env: { ANOMALY_INTERVAL_MS: '600000' } });
    const person = randomUUID();
    const about = Array.from({ length: 40 }, () => makeEvent({ subjectId: person }));
    const by = Array.from({ length: 3 }, () => makeEvent({ actorId: person }));
    for (const event of [...about, ...by]) await admin.publish(event);
    await stored(
      admin,
      [...about, ...by].map(({ id }) => id),
    );
    const ask = async (request: object) => {
      const queries = () => admin.metrics.value('db_queries_total', { table: 'audit_record', action: 'select' });
      const before = await queries();
      const { events } = await admin.client.listAuditEvents(request, admin.as());
      return { count: events.length, queries: (await queries()) - before };
    };
    t.same(await ask({ subjectId: person, pageSize: 100 }), { count: 40, queries: 1 }, 'about');
    t.same(await ask({ subjectId: person, pageSize: 1 }), { count: 1, queries: 1 }, 'about, a short page');
    t.same(await ask({ actorId: person, pageSize: 100 }), { count: 3, queries: 1 }, 'by');
  },
);

tap.test('S1.5: actions and types are offered before any event; a filter by anything else is 400', async (t) => {
  const admin = await startAdmin(t);
  const { actions, resourceTypes } = await admin.client.listAuditActions({}, admin.as());
  for (const action of ['USER_LOGIN_FAILED', 'PAYMENT_REFUNDED', 'DB_WRITE']) t.ok(actions.includes(action), action);
  t.ok(resourceTypes.includes('audit_log'));
  for (const filter of [{ action: 'NO_SUCH_ACTION' }, { resourceType: 'teapot' }]) {
    const refused = await admin.client.listAuditEvents(filter, admin.as()).catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'VALIDATION_FAILED'), JSON.stringify(filter));
  }
});

tap.test('S7.3: only administrators read the log; a page token serves its filter and its caller alone', async (t) => {
  const admin = await startAdmin(t);
  const subjectId = randomUUID();
  const events = [makeEvent({ subjectId }), makeEvent({ subjectId }), makeEvent({ subjectId })];
  for (const event of events) await admin.publish(event);
  await stored(
    admin,
    events.map(({ id }) => id),
  );
  for (const role of ['CUSTOMER', 'VENDOR'] as const) {
    const refused = await admin.client
      .listAuditEvents({}, admin.as(randomUUID(), role))
      .catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'FORBIDDEN'), role);
  }
  const { nextPageToken } = await admin.client.listAuditEvents({ subjectId, pageSize: 1 }, admin.as());
  t.not(nextPageToken, '');
  const misuses: [string, object, string][] = [
    ['another filter', { subjectId, action: 'PAYMENT_CREATED', pageToken: nextPageToken }, admin.adminId],
    ['another caller', { subjectId, pageToken: nextPageToken }, randomUUID()],
    ['made up', { subjectId, pageToken: Buffer.from('0123456789abcdef999').toString('base64url') }, admin.adminId],
    ['changed', { subjectId, pageToken: `${nextPageToken.slice(0, -2)}AA` }, admin.adminId],
  ];
  for (const [what, request, userId] of misuses) {
    const refused = await admin.client.listAuditEvents(request, admin.as(userId)).catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'PAGE_TOKEN_INVALID'), what);
  }
});

tap.test('S7.3: reading the log is itself recorded, and so is being refused', async (t) => {
  const admin = await startAdmin(t);
  await admin.client.listAuditEvents({}, admin.as());
  await admin.client.listAuditEvents({}, admin.as(randomUUID(), 'CUSTOMER')).catch(() => undefined);
  for (const action of ['SENSITIVE_READ', 'AUTHORIZATION_DENIED']) {
    const found = await until(
      async () =>
        (await admin.client.listAuditEvents({ action }, admin.as())).events.find((event) => event.source === 'admin'),
      { what: action },
    );
    t.match(found, { action, resourceType: 'audit_log' });
  }
});
