import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { createFieldCipher, keyringFromConfig } from '@strongroom/platform/crypto';
import { noticeKeyFromConfig } from '@strongroom/platform/outbox';
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
import { profileVariables } from './config.ts';
import { createMessagePort } from './notice/create-message-port.ts';
import { startNoticeSender } from './notice/send-notices.ts';
import { createErasureWorker } from './personal-data/erasure-worker.ts';

runProcess({
  name: 'profile',
  async main(lifecycle) {
    const { config, accesses } = await loadServiceConfig(profileVariables, process.env);
    const port = await createMessagePort(config);
    lifecycle.onClose(() => port.close());
    const service = await openService({ name: 'profile', config, accesses, lifecycle });
    const { database, redis, bus, identity, logger, metrics, health } = service;
    const keyring = keyringFromConfig(config);
    const { auth, authenticator } = await openRemoteAuthenticator(service, lifecycle);
    const connection = { identity, logger, metrics };
    const payments = createServiceClient(PaymentsService, {
      name: 'payments',
      url: config.PAYMENTS_URL,
      ...connection,
    });
    const admin = createServiceClient(AdminService, { name: 'admin', url: config.ADMIN_URL, ...connection });
    const flags = openFlags(service, lifecycle);
    const staleReads = createStaleReads({
      name: 'profile',
      cache: redis,
      keyring,
      ttlS: config.STALE_READ_TTL_S,
      logger,
      metrics,
    });
    const cipher = createFieldCipher(keyring);
    const deps = { ...service, cipher, auth, payments, admin, staleReads, authenticator, flags };

    const app = await buildApp(deps);
    lifecycle.onClose(() => app.close());
    startOutbox(service, { admin, lifecycle });
    const sender = startNoticeSender({ database, bus, noticeKey: noticeKeyFromConfig(config), port, logger, metrics });
    lifecycle.onClose(() => sender.stop());
    const erasures = createErasureWorker(deps);
    erasures.start();
    lifecycle.onClose(() => erasures.stop());

    await app.listen({ host: config.HOST, port: config.PORT });
    health.setStarted(true);
    logger.info({ port: config.PORT }, 'profile is up');
  },
});
