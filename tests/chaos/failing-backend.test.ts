import { setTimeout as delay } from 'node:timers/promises';
import { commonErrors } from '@strongroom/platform/errors';
import t from 'tap';
import {
  closeTestRedis,
  handler,
  newKey,
  paymentBody,
  paymentId,
  startGateway,
  startMesh,
} from '../../gateway/test/fixture.ts';

t.setTimeout(180_000);

const durationMs = 60_000;
const clients = 10;
const pauseMs = 10;

t.test('S5.2: a backend that fails for a minute sees at most 1.1 times what people ask for', async (t) => {
  let seen = 0;
  const fail = handler(() => {
    seen += 1;
    throw commonErrors.UNAVAILABLE();
  });
  const mesh = await startMesh({ payments: { createPayment: fail, getPayment: fail, listPayments: fail } });
  const gateway = await startGateway(mesh);
  t.teardown(async () => {
    await gateway.close();
    await mesh.close();
    await closeTestRedis();
  });
  const authorization = `Bearer ${mesh.tokens.token()}`;
  const payment = JSON.stringify(paymentBody);
  const requests: readonly (() => [string, RequestInit])[] = [
    () => ['/payments', { headers: { authorization } }],
    () => [`/payments/${paymentId}`, { headers: { authorization } }],
    () => [
      '/payments',
      {
        method: 'POST',
        headers: { authorization, 'idempotency-key': newKey(), 'content-type': 'application/json' },
        body: payment,
      },
    ],
  ];
  let offered = 0;
  const statuses = new Set<number>();
  const endMs = performance.now() + durationMs;
  const client = async () => {
    while (performance.now() < endMs) {
      const [path, init] = requests[offered++ % requests.length]?.() ?? ['/payments', {}];
      const response = await fetch(`${gateway.url}/api/v1${path}`, init);
      await response.arrayBuffer();
      statuses.add(response.status);
      await delay(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  t.same([...statuses], [503]);
  t.ok(seen > offered, 'some were tried again');
  t.ok(seen <= offered * 1.1, `${seen} calls for ${offered} requests`);
});
