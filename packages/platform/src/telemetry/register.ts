// Loaded before a process' own code: node --import @strongroom/platform/telemetry/register services/auth/src/main.ts
//
// Instrumentations patch modules as they are imported, so this can't be part of main.ts. It reads the environment itself
// because nothing else runs yet. Without OTEL_EXPORTER_OTLP_ENDPOINT spans go nowhere, but ids exist for logs and audit.
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { register } from 'import-in-the-middle/register-hooks.mjs';

const shutdownTimeoutMs = 2_000;
/** Paths asked by machines every few seconds: spans of theirs would bury all others. */
const quietPath = /^\/(?:livez|readyz|healthz|metrics|\.well-known\/jwks\.json)(?:\?|$)/;

// Without these hooks only modules of Node itself are instrumented: everything else here is an ES module.
register();

const isExporting = (process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '') !== '';
const sdk = new NodeSDK({
  serviceName: process.env['OTEL_SERVICE_NAME'] ?? process.env['STRONGROOM_PROCESS'] ?? 'strongroom',
  autoDetectResources: false,
  metricReaders: [],
  logRecordProcessors: [],
  // The exporter comes from the environment (http/protobuf); without an endpoint there must be none that retries.
  ...(isExporting ? {} : { spanProcessors: [discardingProcessor()] }),
  instrumentations: [
    // Fastify's makes the span of a request, over HTTP/1.1 and HTTP/2 alike.
    new HttpInstrumentation({ disableIncomingRequestInstrumentation: true }),
    new UndiciInstrumentation({
      ignoreRequestHook: ({ path }) => quietPath.test(path),
      requestHook: (span, { method, path }) => span.updateName(`${method} ${path}`),
    }),
    // Statements may hold keys of Redis, which hold hashes of e-mail addresses and token ids.
    new IORedisInstrumentation({ dbStatementSerializer: (command) => command }),
    new FastifyOtelInstrumentation({
      registerOnInitialization: true,
      instrumentHooks: false,
      instrumentHandler: false,
      ignorePaths: ({ url }) => quietPath.test(url),
      // A path may name a person (lockouts are asked for by e-mail address): its route is enough.
      requestHook: (span, { method, routeOptions }) => {
        const route = routeOptions.url ?? 'unmatched';
        span.updateName(`${method} ${route}`);
        span.setAttribute('url.path', route);
      },
    }),
  ],
});
sdk.start();

// A process that is told to end flushes by itself (runProcess); this is for one whose work is done.
process.once('beforeExit', () => void shutdown());

async function shutdown(): Promise<void> {
  const timeout = new Promise<void>((resolve) => {
    setTimeout(resolve, shutdownTimeoutMs).unref();
  });
  await Promise.race([sdk.shutdown().catch(() => undefined), timeout]);
}

/** Spans are made, so that ids exist, and dropped. */
function discardingProcessor() {
  return {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}
