import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { createServiceClient } from '@strongroom/platform/rpc';
import { measureRate, median } from '../measure.ts';

const rounds = 5;
const roundMs = 2_000;
const concurrency = 32;
const request = { email: 'ada@example.com', password: 'Correct-Horse-9-Battery', name: 'Ada Lovelace' };

/** Ours carries validation, sanitation, limits and headers; the stock side carries nothing. */
export async function runUnaryHop(): Promise<Record<string, number>> {
  const [ours, stock] = await Promise.all([startServer('ours'), startServer('stock')]);
  const ourClient = createServiceClient(AuthService, { name: 'auth', url: ours.url });
  const stockTransport = createConnectTransport({ baseUrl: stock.url, httpVersion: '1.1', useBinaryFormat: true });
  const stockClient = createClient(AuthService, stockTransport);
  const rates: { ours: number; stock: number }[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const own = await measureRate(() => ourClient.register(request), { concurrency, durationMs: roundMs });
      const theirs = await measureRate(() => stockClient.register(request), { concurrency, durationMs: roundMs });
      // The first round warms both up.
      if (round > 0) rates.push({ ours: own.perSecond, stock: theirs.perSecond });
    }
  } finally {
    await ourClient.close();
    ours.child.kill();
    stock.child.kill();
  }
  return {
    ours_per_second: median(rates.map((rate) => rate.ours)),
    stock_per_second: median(rates.map((rate) => rate.stock)),
    ours_to_stock_ratio: median(rates.map((rate) => rate.ours / rate.stock)),
  };
}

async function startServer(kind: 'ours' | 'stock'): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${String(port).trim()}`, child };
}
