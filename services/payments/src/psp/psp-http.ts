import { createBreaker } from '@strongroom/platform/resilience';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { Pool } from 'undici';

export interface PspHttpOptions {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
  readonly connectionsMax: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface PspRequest {
  readonly operation: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly idempotencyKey?: string;
  /** JSON text, so that amounts stay the digits that they are. */
  readonly body?: string;
}

export interface PspAnswer {
  readonly status: number;
  readonly body: unknown;
}

const bodyBytesMax = 262_144;
const keepAliveTimeoutMs = 10_000;
const serverErrorMin = 500;
const msPerS = 1_000;

/** The breaker is open: the request was never sent. */
export class PspNotSentError extends Error {
  override name = 'PspNotSentError';
}

/** HTTP to a provider, with a deadline for each request and a breaker around them (S5.1). */
export function createPspHttp({ baseUrl, apiKey, timeoutMs, connectionsMax, logger, metrics }: PspHttpOptions) {
  const pool = new Pool(new URL(baseUrl).origin, {
    connections: connectionsMax,
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: bodyBytesMax,
  });

  async function send({ method, path, idempotencyKey, body }: PspRequest): Promise<PspAnswer> {
    const answer = await pool.request({
      method,
      path,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= serverErrorMin) throw new PspStatusError(answer.statusCode);
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  const breaker = createBreaker('psp', send, { logger, metrics });
  return {
    async request(request: PspRequest): Promise<PspAnswer> {
      if (breaker.state() === 'open') {
        metrics.increment('payments_psp_requests_total', { operation: request.operation, outcome: 'breaker_open' });
        throw new PspNotSentError('The breaker is open.');
      }
      const startMs = performance.now();
      let outcome = 'answered';
      try {
        return await breaker.run(request);
      } catch (error) {
        outcome = 'failed';
        throw error;
      } finally {
        const { operation } = request;
        metrics.increment('payments_psp_requests_total', { operation, outcome });
        metrics.observe('payments_psp_duration_seconds', (performance.now() - startMs) / msPerS, { operation });
      }
    },
    breakerState: () => breaker.state(),
    async close(): Promise<void> {
      breaker.close();
      await pool.destroy();
    },
  };
}

export type PspHttp = ReturnType<typeof createPspHttp>;

/** The provider answered 5xx. Only its documentation tells which of them had no effect. */
export class PspStatusError extends Error {
  override name = 'PspStatusError';
  readonly status: number;

  constructor(status: number) {
    super(`The provider answered ${status}.`);
    this.status = status;
  }
}
