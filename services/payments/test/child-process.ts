import { spawnProcess, type TestProcess } from '@strongroom/testkit';
import { clientsOf, type startSurroundings } from './payments-fixture.ts';

/** A start on a busy machine. */
const startTimeoutMs = 60_000;

/** The places in payments where a test can break the process. */
export type FailpointName =
  | `payments.${'create' | 'cancel' | 'refund' | 'update' | 'set-payment-status'}.${'before' | 'after'}-commit`
  | `payments.${'charge' | 'refund'}.${'before-psp' | 'after-psp' | 'after-result'}`
  | `payments.webhook.${'before' | 'after'}-commit`
  | `payments.schedule.${'before' | 'after'}-commit`
  | `payments.add-payment-method.${'after-claim' | 'before-commit' | 'after-commit'}`
  | 'payments.delivery.after-send';

/** The real process of the service, which a test may kill. Takes webhooks as soon as it is up. */
export async function spawnPayments(
  around: Awaited<ReturnType<typeof startSurroundings>>,
  natsUrl: string,
  redisUrl: string,
  failpoints = '',
): Promise<TestProcess & ReturnType<typeof clientsOf> & { readonly baseUrl: string }> {
  const child = await spawnProcess({
    name: 'payments',
    entry: 'services/payments/src/main.ts',
    env: { ...around.variables, PORT: '0', NATS_URL: natsUrl, REDIS_URL: redisUrl, LOG_LEVEL: 'info' },
    ...(failpoints === '' ? {} : { failpoints }),
  });
  around.closers.push(() => child.kill());
  const { port } = await child.waitForLog(({ msg }) => msg === 'payments is up', startTimeoutMs);
  const baseUrl = `http://127.0.0.1:${port}`;
  const clients = clientsOf(baseUrl);
  around.receiver.client = clients.connect;
  return { ...child, ...clients, baseUrl };
}
