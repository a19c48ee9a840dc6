import { createFaultProxy, createTestNats, createTestRedis } from '@strongroom/testkit';
import t from 'tap';
import { spawnPayments } from '../../services/payments/test/child-process.ts';
import { restStormOfOne, restStormOfTwo, stormOfOne, stormOfTwo } from '../../services/payments/test/key-storms.ts';
import { startPayments } from '../../services/payments/test/payments-fixture.ts';
import { startPaymentsGateway } from './payments-gateway.ts';

t.setTimeout(300_000);

const fixture = await startPayments(t, { instances: 2 });

t.test('F19: 1,000 identical requests at once at two instances are one payment, and every answer is its', (t) =>
  stormOfOne(t, fixture, 1_000),
);

t.test('F20: of 1,000 requests with one key and two bodies one body wins, all of the other are refused', (t) =>
  stormOfTwo(t, fixture, 1_000),
);

t.test('F19, F20: the same by REST at the edge, which has two processes behind it', async (t) => {
  const nats = await createTestNats();
  const redis = await createTestRedis();
  fixture.closers.push(() => Promise.all([nats.close(), redis.close()]));
  const replicas = [
    await spawnPayments(fixture, nats.url, redis.url),
    await spawnPayments(fixture, nats.url, redis.url),
  ];
  const balancer = await createFaultProxy({ target: replicas.map(({ baseUrl }) => baseUrl) });
  fixture.closers.push(() => balancer.close());
  const url = await startPaymentsGateway(fixture, `https://127.0.0.1:${balancer.port}`, redis.url);
  await restStormOfOne(t, fixture, url, 1_000);
  await restStormOfTwo(t, fixture, url, 1_000);
});
