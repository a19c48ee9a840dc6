import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import type { HeaderList } from './unary-answer.ts';

const HSTS_MAX_AGE_S = 31_536_000;

/** helmet on every listener, with a policy for answers that are data and nothing else (S6.1). */
export async function registerSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    global: true,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
    },
    strictTransportSecurity: { maxAge: HSTS_MAX_AGE_S, includeSubDomains: true },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    hidePoweredBy: true,
  });
  app.addHook('onRequest', async (_request, reply) => {
    // Answers may hold personal data: no cache keeps them. The public keys say otherwise themselves.
    reply.header('cache-control', 'no-store');
  });
}

const PROBE_HEADERS = new Set(['content-type', 'content-length', 'date', 'connection', 'keep-alive']);

/** The same headers as a list, for the routes that write their answers themselves: helmet is asked once what it sets. */
export async function securityHeaderList(): Promise<HeaderList> {
  const probe = fastify();
  await registerSecurityHeaders(probe);
  probe.get('/', async () => '');
  const answer = await probe.inject('/');
  await probe.close();
  const headers: HeaderList = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !PROBE_HEADERS.has(name)) headers[name] = Array.isArray(value) ? value : String(value);
  }
  return headers;
}
