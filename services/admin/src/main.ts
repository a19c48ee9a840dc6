import { keyringFromConfig } from '@strongroom/platform/crypto';
import { noticeKeyFromConfig } from '@strongroom/platform/outbox';
import { runProcess } from '@strongroom/platform/process';
import { loadServiceConfig, openRemoteAuthenticator, openService } from '@strongroom/platform/service';
import { openPlaces } from './anomaly/places.ts';
import { buildApp } from './app.ts';
import { createLogTail } from './audit/log-tail.ts';
import { createWatchers } from './audit/watchers.ts';
import { openAuditDatabase } from './audit-database.ts';
import { adminVariables } from './config.ts';
import { createFlagBoard } from './flag/flag-board.ts';
import { readAuditLag } from './health/audit-lag.ts';
import { createProbes } from './health/probes.ts';
import { openLog } from './log.ts';
import { startWorkers } from './workers.ts';

runProcess({
  name: 'admin',
  async main(lifecycle) {
    const { config, accesses } = await loadServiceConfig(adminVariables, process.env);
    const service = await openService({ name: 'admin', config, accesses, lifecycle });
    const { health, logger, metrics } = service;
    const auditDatabase = await openAuditDatabase({ url: config.AUDIT_DATABASE_URL, config, logger, metrics });
    lifecycle.onClose(() => auditDatabase.close());
    health.add('audit_postgres', () => auditDatabase.check(), { required: true });
    const keyring = keyringFromConfig(config);
    const log = await openLog(config, { auditDatabase, keyring, logger, metrics });
    const { auth, authenticator } = await openRemoteAuthenticator(service, lifecycle);
    const deps = {
      ...service,
      ...log,
      isLogPublic: config.TLOG_PUBLIC,
      auditDatabase,
      keyring,
      noticeKey: noticeKeyFromConfig(config),
      auth,
      authenticator,
      logTail: createLogTail(),
      watchers: createWatchers(),
      findPlace: await openPlaces(config.GEOIP_DATABASE_FILE),
      flags: createFlagBoard(service),
      probes: createProbes({ ...service, ...log, config, auditDatabase }),
      auditLag: () => readAuditLag({ bus: service.bus, auditDatabase }),
    };
    lifecycle.onClose(() => Promise.all(deps.probes.map((probe) => probe.close())));
    const app = await buildApp(deps);
    lifecycle.onClose(() => app.close());
    const workers = startWorkers(deps, config);
    lifecycle.onClose(() => workers.stop());
    await app.listen({ host: config.HOST, port: config.PORT });
    health.setStarted(true);
    logger.info({ port: config.PORT }, 'admin is up');
  },
});
