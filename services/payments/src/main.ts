import type { AddressInfo } from 'node:net';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { ConfigError } from '@strongroom/platform/config';
import { createFieldCipher, keyringFromConfig } from '@strongroom/platform/crypto';
import { runProcess } from '@strongroom/platform/process';
import { createStaleReads } from '@strongroom/platform/resilience';
import { createServiceClient } from '@strongroom/platform/rpc';
import {
  loadServiceConfig,
  openFlags,
  openRemoteAuthenticator,
  openService,
  startOutbox,
} from '@strongroom/platform/service';
import { buildApp } from './app.ts';
import { configFaults, paymentsVariables } from './config.ts';
import { createKeysInFlight } from './idempotency/keys-in-flight.ts';
import { writeNewPayments } from './payment/new-payment-store.ts';
import { createFeedHorizon } from './payment/payment-feed-store.ts';
import { createPsp } from './psp/create-psp.ts';
import { writeProgress } from './psp/progress-store.ts';
import { writeSettlements } from './psp/settlement-store.ts';
import { createWebhookTargets } from './webhook-endpoint/webhook-target.ts';
import { createBatchWriter } from './work/batch-writer.ts';
import { createSignals } from './work/signals.ts';
import { createWorkers } from './workers.ts';

runProcess({
  name: 'payments',
  async main(lifecycle) {
    const { config, accesses } = await loadServiceConfig(paymentsVariables, process.env);
    const faults = configFaults(config);
    if (faults.length > 0) throw new ConfigError(faults);
    const service = await openService({ name: 'payments', config, accesses, lifecycle });
    const { identity, logger, metrics, health, redis } = service;
    const { auth, authenticator } = await openRemoteAuthenticator(service, lifecycle);
    const admin = createServiceClient(AdminService, {
      name: 'admin',
      url: config.ADMIN_URL,
      identity,
      logger,
      metrics,
    });
    const psp = createPsp({ config, logger, metrics });
    lifecycle.onClose(() => psp.close());
    health.add('psp', () => psp.check());
    const keyring = keyringFromConfig(config);
    const webhookTargets = createWebhookTargets({
      timeoutMs: config.WEBHOOK_TIMEOUT_MS,
      allowInsecure: config.WEBHOOK_ALLOW_INSECURE_TARGETS,
    });
    lifecycle.onClose(() => webhookTargets.close());
    const deps = {
      ...service,
      config,
      keyring,
      cipher: createFieldCipher(keyring),
      auth,
      admin,
      authenticator,
      flags: openFlags(service, lifecycle),
      psp,
      writeNewPayment: createBatchWriter(service.database, writeNewPayments, config.DB_QUERY_TIMEOUT_MS),
      writeProgress: createBatchWriter(service.database, writeProgress, config.DB_QUERY_TIMEOUT_MS),
      writeSettlement: createBatchWriter(service.database, writeSettlements, config.DB_QUERY_TIMEOUT_MS),
      signals: createSignals(),
      webhookTargets,
      streams: { byUser: new Map(), total: 0 },
      feedHorizon: createFeedHorizon(service.database),
      keysInFlight: createKeysInFlight(),
      staleReads: createStaleReads({
        name: 'payments',
        cache: redis,
        keyring,
        ttlS: config.STALE_READ_TTL_S,
        logger,
        metrics,
      }),
      now: Date.now,
    };

    startOutbox(service, { admin, lifecycle });
    const workers = createWorkers(deps);
    lifecycle.onClose(() => workers.stop());
    const app = await buildApp(deps);
    lifecycle.onClose(() => app.close());
    workers.start();
    await app.listen({ host: config.HOST, port: config.PORT });
    health.setStarted(true);
    logger.info({ port: (app.server.address() as AddressInfo).port }, 'payments is up');
  },
});
