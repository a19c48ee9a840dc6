import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { readSharedSecrets } from '@strongroom/platform/identity';
import { runProcess } from '@strongroom/platform/process';
import { createServiceClient } from '@strongroom/platform/rpc';
import { loadServiceConfig, openFlags, openService, startOutbox } from '@strongroom/platform/service';
import { buildApp } from './app.ts';
import { authVariables } from './config.ts';
import { createMaintenance } from './maintenance.ts';
import { completeRecoveries } from './recovery/complete-recoveries.ts';
import { provideFirstAdmin } from './user/first-admin.ts';

const retryMs = 1_000;

runProcess({
  name: 'auth',
  async main(lifecycle) {
    const { config, accesses } = await loadServiceConfig(authVariables, process.env);
    readSharedSecrets(config); // throws before anything is opened
    const service = await openService({ name: 'auth', config, accesses, lifecycle });
    const { logger, health, identity, metrics } = service;
    const app = await buildApp({ ...service, config, flags: openFlags(service, lifecycle) });
    lifecycle.onClose(() => app.close());
    const admin = createServiceClient(AdminService, {
      name: 'admin',
      url: config.ADMIN_URL,
      identity,
      logger,
      metrics,
    });
    lifecycle.onClose(() => admin.close());
    startOutbox(service, { admin, lifecycle });

    await app.server.listen({ host: config.HOST, port: config.PORT });
    // The database may come later than this process (F40): it lives, and is ready once it has its keys.
    while (!lifecycle.signal.aborted) {
      try {
        await app.start();
        if (await provideFirstAdmin(app.deps)) logger.info('the first administrator was made; see FIRST_ADMIN_FILE');
        break;
      } catch (error) {
        logger.warn({ err: error }, 'not ready yet');
        await delay(retryMs, undefined, { signal: lifecycle.signal }).catch(() => undefined);
      }
    }
    const maintenance = createMaintenance(app.deps, [() => completeRecoveries(app.deps)]);
    maintenance.start();
    lifecycle.onClose(() => maintenance.stop());
    health.setStarted(true);
    logger.info({ port: (app.server.server.address() as AddressInfo).port }, 'auth is up');
  },
});
