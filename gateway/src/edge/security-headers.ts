import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

const HSTS_MAX_AGE_S = 31_536_000; // one year: ASVS V3.4.1

type Directives = Record<string, string[]>;

/** Answers that are data: nothing in them is a page (ASVS V3.2.1, V3.4.3). */
const dataDirectives: Directives = {
  defaultSrc: ["'none'"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
};

/** The console: its own files and nothing from anywhere else. */
export const consoleDirectives: Directives = {
  ...dataDirectives,
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:', 'blob:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  workerSrc: ["'self'"],
  // No text becomes script: React writes none, and whoever finds a way to make it gets an error (Trusted Types).
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
};

/** The reference page writes styles by script, and starts itself by a script that is let through by its hash. */
export function referenceDirectives(scriptHashes: readonly string[]): Directives {
  return {
    ...dataDirectives,
    scriptSrc: ["'self'", ...scriptHashes],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    workerSrc: ["'self'", 'blob:'],
  };
}

export function contentSecurityPolicy(directives: Directives) {
  return { useDefaults: false, directives };
}

/** helmet on every answer (S6.1). */
export async function registerSecurityHeaders(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    global: true,
    contentSecurityPolicy: contentSecurityPolicy(dataDirectives),
    strictTransportSecurity: { maxAge: HSTS_MAX_AGE_S, includeSubDomains: true },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    hidePoweredBy: true,
  });
  app.addHook('onRequest', async (_request, reply) => {
    // Answers may hold personal data: no cache keeps them. Pages and public keys say otherwise themselves.
    reply.header('cache-control', 'no-store');
  });
}

/** The same fields for answers that are written past Fastify: errors of the parser. A test compares the two. */
export const rawSecurityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none';object-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': `max-age=${HSTS_MAX_AGE_S}; includeSubDomains`,
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
  'cache-control': 'no-store',
};
