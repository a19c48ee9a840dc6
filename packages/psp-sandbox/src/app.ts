import { timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { PspFailure } from './failures.ts';
import { type Charge, publicCharge, publicPaymentMethod, publicRefund, type Refund } from './model.ts';
import type { Answer, Provider } from './provider.ts';
import { parseCard, parseCharge, parseControl, parseIdempotencyKey, parseRefund, record } from './requests.ts';
import type { Store } from './store.ts';

const bodyBytesMax = 64 * 1024;
const listMax = 100;
const heldMax = 10_000;

export interface AppOptions {
  store: Store;
  provider: Provider;
  logger: Logger;
  apiKey?: string;
  /** After which a request that is never answered has its connection cut. */
  timeoutMs: number;
}

export function buildApp(options: AppOptions): FastifyInstance {
  const { store, provider } = options;
  const app = fastify({ bodyLimit: bodyBytesMax, forceCloseConnections: true });
  const hold = createHold(options.timeoutMs);
  app.addHook('onClose', async () => hold.cutAll());
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => sendFailure(error, reply, options));
  app.setNotFoundHandler((_request, reply) =>
    sendFailure(new PspFailure(404, 'not_found', 'No such route.'), reply, options),
  );
  app.addHook('onRequest', async (request) => {
    if (options.apiKey !== undefined && request.url.startsWith('/v1/')) requireKey(request, options.apiKey);
  });

  app.get('/livez', async () => ({ status: 'live' }));
  app.get('/readyz', async () => ({ status: 'ready' }));

  app.post('/v1/payment-methods', async (request, reply) => {
    const method = await provider.addPaymentMethod(parseCard(record(request.body)['card'], new Date()));
    return reply.code(201).send(publicPaymentMethod(method));
  });
  app.post('/v1/charges', async (request, reply) => {
    const key = parseIdempotencyKey(request.headers['idempotency-key']);
    const answer = await provider.charge(parseCharge(request.body, new Date()), key);
    return sendAnswer(answer, publicCharge, reply, hold);
  });
  app.get<{ Params: { id: string } }>('/v1/charges/:id', async (request) =>
    publicCharge(found(store.charge(request.params.id))),
  );
  app.get<{ Querystring: { reference?: string } }>('/v1/charges', async (request) => ({
    charges: listed(store.charges(), store.charge, request.query.reference).map(publicCharge),
  }));
  app.post<{ Params: { id: string } }>('/v1/charges/:id/refunds', async (request, reply) => {
    const key = parseIdempotencyKey(request.headers['idempotency-key']);
    const answer = await provider.refund(request.params.id, parseRefund(request.body), key);
    return sendAnswer(answer, publicRefund, reply, hold);
  });
  app.get<{ Params: { id: string } }>('/v1/refunds/:id', async (request) =>
    publicRefund(found(store.refund(request.params.id))),
  );
  app.get<{ Querystring: { reference?: string } }>('/v1/refunds', async (request) => ({
    refunds: listed(store.refunds(), store.refund, request.query.reference).map(publicRefund),
  }));
  addTestRoutes(app, store, provider);
  return app;
}

function addTestRoutes(app: FastifyInstance, store: Store, provider: Provider): void {
  app.get('/v1/control', async () => provider.control);
  app.post('/v1/control', async (request) => {
    provider.setControl(parseControl(request.body));
    return provider.control;
  });
  app.get<{ Querystring: { reference?: string } }>('/v1/journal', async (request) => {
    const { reference } = request.query;
    return { entries: store.journal().filter((entry) => reference === undefined || entry.reference === reference) };
  });
  app.get<{ Querystring: { reference?: string } }>('/v1/deliveries', async (request) => {
    const { reference } = request.query;
    const events = store.events().filter((event) => reference === undefined || event.reference === reference);
    return { deliveries: events.map(({ body: _body, givenUp: _givenUp, ...shown }) => shown) };
  });
}

async function sendAnswer<T extends Charge | Refund>(
  answer: Answer<T>,
  show: (what: T) => object,
  reply: FastifyReply,
  hold: Hold,
): Promise<FastifyReply> {
  if (answer.kind === 'silence') {
    reply.hijack();
    hold.keep(reply);
    return reply;
  }
  // As it was made: a settlement during a slow answer is news for the webhook.
  const shown = show(answer.what);
  if (answer.delayMs) await delay(answer.delayMs, undefined, { ref: false });
  if (answer.kind === 'replayed') reply.header('idempotency-replayed', 'true');
  return reply.code(answer.kind === 'made' ? 201 : 200).send(shown);
}

interface Hold {
  keep(reply: FastifyReply): void;
  cutAll(): void;
}

/** Connections of requests that get no answer. */
function createHold(timeoutMs: number): Hold {
  const held = new Map<FastifyReply, NodeJS.Timeout>();
  const cut = (reply: FastifyReply) => {
    clearTimeout(held.get(reply));
    held.delete(reply);
    reply.raw.destroy();
  };
  return {
    keep(reply) {
      const [oldest] = held.keys();
      if (held.size >= heldMax && oldest) cut(oldest);
      held.set(
        reply,
        setTimeout(() => cut(reply), timeoutMs),
      );
      reply.raw.once('close', () => cut(reply));
    },
    cutAll() {
      for (const reply of [...held.keys()]) cut(reply);
    },
  };
}

function sendFailure(error: Error & { statusCode?: number }, reply: FastifyReply, options: AppOptions): FastifyReply {
  const failure =
    error instanceof PspFailure
      ? error
      : error.statusCode !== undefined && error.statusCode < 500
        ? new PspFailure(400, 'invalid_request', error.message)
        : undefined;
  if (failure === undefined) options.logger.error({ err: error }, 'request broke');
  const { status, code, message } = failure ?? new PspFailure(500, 'internal_error', 'Something broke.');
  if (status === 503) reply.header('retry-after', '1');
  return reply.code(status).send({ error: { code, message } });
}

function requireKey(request: FastifyRequest, apiKey: string): void {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${apiKey}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new PspFailure(401, 'unauthorized', 'A valid API key is needed.');
  }
}

function found<T>(what: T | undefined): T {
  if (what === undefined) throw new PspFailure(404, 'not_found', 'Nothing with that id or reference.');
  return what;
}

function listed<T>(all: T[], find: (reference: string) => T | undefined, reference: string | undefined): T[] {
  if (reference === undefined) return all.slice(-listMax).reverse();
  const one = find(reference);
  return one === undefined ? [] : [one];
}
