import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HealthState } from '@strongroom/gen/strongroom/admin/v1/health_pb.ts';
import tap from 'tap';
import { startAdmin } from './admin-fixture.ts';

tap.test(
  'S5.3, older fault 47: every part is asked where the configuration says, and one that does not answer holds nobody up',
  async (t) => {
    let payments: object = { status: 'ok', checks: [] };
    const server = createServer((request, response) => {
      if (request.url === '/healthz' && request.headers.host?.startsWith('127.0.0.1'))
        response.end(JSON.stringify(payments));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close().closeAllConnections());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const admin = await startAdmin(t, {
      env: { AUTH_URL: 'http://127.0.0.1:9', PAYMENTS_URL: url, PROFILE_URL: url, PUBLIC_URL: url },
    });
    await admin.bus.ready();
    const ask = async () => {
      const { state, components, auditLagEvents } = await admin.client.getSystemHealth({}, admin.as());
      return { state, auditLagEvents, parts: new Map(components.map((part) => [part.name, part])) };
    };
    const first = await ask();
    t.strictSame([...first.parts.keys()].sort(), [
      'admin',
      'audit_log',
      'auth',
      'gateway',
      'nats',
      'payments',
      'postgres',
      'profile',
      'redis',
    ]);
    t.match(first.parts.get('payments'), { state: HealthState.HEALTHY, reasons: [] });
    t.match(first.parts.get('auth'), { state: HealthState.UNHEALTHY, reasons: ['does not answer'] });
    t.equal(first.state, HealthState.UNHEALTHY, 'auth is down');
    payments = { status: 'degraded', checks: [{ name: 'redis', status: 'failing', reason: 'no answer in time' }] };
    t.match((await ask()).parts.get('payments'), {
      state: HealthState.DEGRADED,
      reasons: ['redis: no answer in time'],
    });
  },
);
