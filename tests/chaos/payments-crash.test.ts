// F1–F3 whole: kill -9 at every named step of create, refund, cancel, webhook and schedule; then the same key over gRPC
// and over REST through a real gateway.
import { createJsonClient } from '@strongroom/testkit';
import t from 'tap';
import {
  type CrashScene,
  crashAt,
  crashSteps,
  type RestCaller,
  startCrashScene,
} from '../../services/payments/test/crash-steps.ts';
import { startPaymentsGateway } from './payments-gateway.ts';

t.setTimeout(580_000);

async function startGateway(scene: CrashScene): Promise<RestCaller> {
  const url = await startPaymentsGateway(scene, scene.survivor.baseUrl.replace('http:', 'https:'), scene.redis.url);
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
    async cancelPayment(token, key, paymentId, reason) {
      return (await repeat(token, key, `/api/v1/payments/${paymentId}/cancel`, { reason }))['payment']?.id ?? '';
    },
  };
}

t.test('F1–F3: kill -9 at every step of a write, then the same key over gRPC and REST: everything once', async (t) => {
  const scene = await startCrashScene(t);
  scene.rest = await startGateway(scene);
  for (const step of crashSteps) await crashAt(t, scene, step);
});
