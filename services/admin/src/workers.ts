import { createOutbox, type Outbox } from '@strongroom/platform/outbox';
import type { AnomalyKindName } from './anomaly/anomaly-rules.ts';
import type { AnomalyAction } from './anomaly/anomaly-store.ts';
import { startDetection } from './anomaly/detect-anomalies.ts';
import { confirmEvents } from './audit/confirm-events.ts';
import { ingestEvents } from './audit/ingest-events.ts';
import { startRetention } from './audit/retention-worker.ts';
import type { AdminConfig } from './config.ts';
import type { Deps } from './deps.ts';

const msPerS = 1_000;

export type WorkersConfig = Pick<
  AdminConfig,
  'RETENTION_INTERVAL_S' | 'ANOMALY_INTERVAL_MS' | 'ANOMALY_BLOCK_RULES' | 'ANOMALY_STEP_UP_RULES'
>;

export interface Workers {
  readonly outbox: Outbox;
  stop(): Promise<void>;
}

/** What runs beside the server: takes events in, signs checkpoints, sends admin's own events out. */
export function startWorkers(deps: Deps, config: WorkersConfig): Workers {
  const { bus, checkpointer, flags, database, logger, metrics } = deps;
  const outbox = createOutbox({
    database,
    bus,
    logger,
    metrics,
    // The audit database is ours: there is nobody to call.
    confirm: async (eventIds) => [...((await confirmEvents(deps, { eventIds: [...eventIds] })).storedEventIds ?? [])],
  });
  outbox.start();
  checkpointer.start();
  flags.start();
  const retention = startRetention(deps, config.RETENTION_INTERVAL_S * msPerS);
  const detection = startDetection({ ...deps, actionOf: actionRules(config) }, config.ANOMALY_INTERVAL_MS);
  const ingestion = ingestEvents(deps, bus);
  return {
    outbox,
    async stop() {
      await Promise.all([
        ingestion.stop(),
        checkpointer.stop(),
        outbox.stop(),
        flags.stop(),
        retention.stop(),
        detection.stop(),
      ]);
    },
  };
}

/** The gravest that a setting names; all else only observes. */
function actionRules(config: WorkersConfig): (kind: AnomalyKindName) => AnomalyAction {
  return (kind) => {
    if (config.ANOMALY_BLOCK_RULES.includes(kind)) return 'block';
    return config.ANOMALY_STEP_UP_RULES.includes(kind) ? 'step_up' : 'observe';
  };
}
