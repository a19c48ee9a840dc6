import { spawnProcess, type TestProcess } from '@strongroom/testkit';
import { clientsOf, type startSurroundings } from './payments-fixture.ts';

/** The real process of the service, which a test may kill. Takes webhooks as soon as it is up. */
export async function spawnPayments(
  around: Awaited<ReturnType<typeof startSurroundings>>,
  natsUrl: string,
  redisUrl: string,
  failpoints = '',
): Promise<TestProcess & ReturnType<typeof clientsOf>> {
  const child = await spawnProcess({
    name: 'payments',
    entry: 'services/payments/src/main.ts',
    env: { ...around.variables, PORT: '0', NATS_URL: natsUrl, REDIS_URL: redisUrl, LOG_LEVEL: 'info' },
    ...(failpoints === '' ? {} : { failpoints }),
  });
  around.closers.push(() => child.kill());
  const { port } = await child.waitForLog(({ msg }) => msg === 'payments is up', 20_000);
  const clients = clientsOf(`http://127.0.0.1:${port}`);
  around.receiver.client = clients.connect;
  return { ...child, ...clients };
}
