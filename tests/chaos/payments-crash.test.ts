// F1–F3 whole: kill -9 at every named step of create, refund, cancel, webhook and schedule; then the same key over gRPC
// and over REST through a real gateway.
import { createJsonClient, spawnProcess } from '@strongroom/testkit';
import t from 'tap';
import { freePort } from '../../scripts/support/ports.ts';
import {
  type CrashScene,
  crashAt,
  crashSteps,
  type RestCaller,
  startCrashScene,
} from '../../services/payments/test/crash-steps.ts';

t.setTimeout(580_000);

async function startGateway(scene: CrashScene): Promise<RestCaller> {
  const { TOKEN_ISSUER = '', TOKEN_AUDIENCE = '', AUTH_URL = '' } = scene.variables;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const gateway = await spawnProcess({
    name: 'gateway',
    entry: 'gateway/src/main.ts',
    env: {
      ...scene.certificates.variables('gateway'),
      TOKEN_ISSUER,
      TOKEN_AUDIENCE,
      AUTH_URL,
      PAYMENTS_URL: scene.survivor.baseUrl.replace('http:', 'https:'),
      REDIS_URL: scene.redis.url,
      PORT: String(port),
      METRICS_PORT: '0',
      LOG_LEVEL: 'info',
      RATE_LIMIT_GENERAL_MAX: '1000000',
    },
    readyUrl: `${url}/readyz`,
  });
  scene.closers.push(() => gateway.kill());
  const client = createJsonClient(url);
  const repeat = async (token: string, key: string, path: string, body: object) => {
    const headers = { authorization: token, 'idempotency-key': key };
    const answer = await client.post<Record<string, { id: string }>>(path, body, { headers });
    if (answer.headers.get('idempotency-replayed') !== 'true') throw new Error(`no replay: ${answer.text}`);
    return answer.body;
  };
  return {
    async createPayment(token, key, recipientId) {
      const amount = { currencyCode: 'EUR', minorUnits: '1050' };
      const body = { type: 'PAYMENT_TYPE_INSTANT', amount, recipientId, description: 'Rent, November' };
      return (await repeat(token, key, '/api/v1/payments', body))['payment']?.id ?? '';
    },
    async refundPayment(token, key, paymentId) {
      const amount = { currencyCode: 'EUR', minorUnits: '50' };
      return (await repeat(token, key, `/api/v1/payments/${paymentId}/refunds`, { amount }))['refund']?.id ?? '';
    },
  };
}

t.test('F1–F3: kill -9 at every step of a write, then the same key over gRPC and REST: everything once', async (t) => {
  const scene = await startCrashScene(t);
  scene.rest = await startGateway(scene);
  for (const step of crashSteps) await crashAt(t, scene, step);
});
