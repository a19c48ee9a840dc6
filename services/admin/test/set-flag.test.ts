import { isServiceError } from '@strongroom/platform/errors';
import { until } from '@strongroom/testkit';
import tap from 'tap';
import { createFlagBoard, flagsBucket } from '../src/flag/flag-board.ts';
import { startAdmin } from './admin-fixture.ts';

tap.test(
  'S5.3: a flag is changed at run time, obeyed at once and by other processes, and the change is recorded',
  async (t) => {
    const admin = await startAdmin(t);
    await admin.bus.ready();
    const { flags: before } = await admin.client.listFlags({}, admin.as());
    t.strictSame(
      before.map(({ name }) => name),
      ['anomaly-detection', 'audit-watch', 'compliance-reports'],
    );
    t.ok(before.every(({ enabled, defaultEnabled }) => enabled === defaultEnabled));
    const other = createFlagBoard(admin);
    t.teardown(() => other.stop());
    await other.refresh();

    const { flag } = await admin.client.setFlag({ name: 'audit-watch', enabled: false, reason: 'load' }, admin.as());
    t.match(flag, { name: 'audit-watch', enabled: false, defaultEnabled: true, actorId: admin.adminId });
    const refused = await (async () => {
      for await (const _ of admin.client.watchAuditEvents({}, admin.as())) return undefined;
    })().catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'SWITCHED_OFF'));
    await until(() => (other.isEnabled('audit-watch') ? undefined : true), { what: 'another process hears of it' });
    const bucket = await admin.bus.connection().client.views.kv(flagsBucket);
    await until(async () => ((await bucket.get('audit-watch'))?.string() === 'off' ? true : undefined), {
      what: 'the bucket',
    });

    await admin.client.setFlag({ name: 'audit-watch', enabled: false }, admin.as());
    await admin.client.setFlag({ name: 'audit-watch', enabled: true, reason: 'load is gone' }, admin.as());
    const changes = await until(
      async () => {
        const { events } = await admin.client.listAuditEvents({ action: 'SYSTEM_CONFIG_CHANGED' }, admin.as());
        return events.length >= 2 ? events : undefined;
      },
      { what: 'the changes in the log' },
    );
    t.match(
      changes.map(({ details, actorId }) => ({ ...details, actorId })),
      [
        { flag: 'audit-watch', enabled: 'true', reason: 'load is gone', actorId: admin.adminId },
        { flag: 'audit-watch', enabled: 'false', reason: 'load' },
      ],
      'what changed nothing is no record',
    );
    const unknown = await admin.client
      .setFlag({ name: 'no-such-flag', enabled: true }, admin.as())
      .catch((error: unknown) => error);
    t.ok(isServiceError(unknown, 'FLAG_NOT_FOUND'));
  },
);
