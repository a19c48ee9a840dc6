import { spawnProcess } from '@strongroom/testkit';
import { freePort } from '../../scripts/support/ports.ts';
import type { startSurroundings } from '../../services/payments/test/payments-fixture.ts';

type Surroundings = Pick<
  Awaited<ReturnType<typeof startSurroundings>>,
  'certificates' | 'variables' | 'auth' | 'closers'
>;

/** A real gateway in front of payments at `paymentsUrl`, to be reached at the URL that it answers. */
export async function startPaymentsGateway(
  around: Surroundings,
  paymentsUrl: string,
  redisUrl: string,
): Promise<string> {
  const { TOKEN_ISSUER = '', TOKEN_AUDIENCE = '', AUTH_URL = '' } = around.variables;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = await spawnProcess({
    name: 'gateway',
    entry: 'gateway/src/main.ts',
    env: {
      ...around.certificates.variables('gateway'),
      TOKEN_ISSUER,
      TOKEN_AUDIENCE,
      AUTH_URL,
      PAYMENTS_URL: paymentsUrl,
      REDIS_URL: redisUrl,
      PORT: String(port),
      METRICS_PORT: '0',
      LOG_LEVEL: 'info',
      RATE_LIMIT_GENERAL_MAX: '1000000',
    },
    readyUrl: `${url}/readyz`,
  });
  around.closers.push(() => gateway.kill());
  return url;
}
