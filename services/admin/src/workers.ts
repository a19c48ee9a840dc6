import { createOutbox, type Outbox } from '@strongroom/platform/outbox';
import { confirmEvents } from './audit/confirm-events.ts';
import { ingestEvents } from './audit/ingest-events.ts';
import type { Deps } from './deps.ts';

export interface Workers {
  readonly outbox: Outbox;
  stop(): Promise<void>;
}

/** What runs beside the server: takes events in, signs checkpoints, sends admin's own events out. */
export function startWorkers(deps: Deps): Workers {
  const { bus, checkpointer, database, logger, metrics } = deps;
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
  const ingestion = ingestEvents(deps, bus);
  return {
    outbox,
    async stop() {
      await Promise.all([ingestion.stop(), checkpointer.stop(), outbox.stop()]);
    },
  };
}
