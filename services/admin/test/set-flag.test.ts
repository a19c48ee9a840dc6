import { isServiceError } from '@strongroom/platform/errors';
import { createFlagReader, flagNames } from '@strongroom/platform/flags';
import { until } from '@strongroom/testkit';
import tap from 'tap';
import { startAdmin } from './admin-fixture.ts';

tap.test(
  'S5.3: a flag is changed at run time, obeyed at once and by other processes, and the change is recorded',
  async (t) => {
    const admin = await startAdmin(t);
    await admin.bus.ready();
    const { flags: before } = await admin.client.listFlags({}, admin.as());
    t.strictSame(
      before.map(({ name }) => name),
      flagNames,
    );
    t.ok(before.every(({ enabled, defaultEnabled }) => enabled === defaultEnabled));
    // What auth, payments and profile have.
    const other = createFlagReader({ bus: admin.bus, logger: admin.logger });
    other.start();
    t.teardown(() => other.stop());

    const { flag } = await admin.client.setFlag({ name: 'audit-watch', enabled: false, reason: 'load' }, admin.as());
    t.match(flag, { name: 'audit-watch', enabled: false, defaultEnabled: true, actorId: admin.adminId });
    const refused = await (async () => {
      for await (const _ of admin.client.watchAuditEvents({}, admin.as())) return undefined;
    })().catch((error: unknown) => error);
    t.ok(isServiceError(refused, 'SWITCHED_OFF'));
    await until(() => (other.isEnabled('audit-watch') ? undefined : true), { what: 'another process hears of it' });
    await admin.client.setFlag({ name: 'audit-watch', enabled: false }, admin.as());
    await admin.client.setFlag({ name: 'audit-watch', enabled: true, reason: 'load is gone' }, admin.as());
    await until(() => (other.isEnabled('audit-watch') ? true : undefined), {
      what: 'another process hears of that too',
    });
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
