import type { Bus } from '../bus/bus.ts';
import type { Database } from '../database/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type OutboxState, readState } from './outbox-store.ts';
import { createReconciler, type ReconcilerOptions } from './reconciler.ts';
import { createRelay } from './relay.ts';

export interface OutboxOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Answers which of at most 500 event ids the audit database holds: admin.ConfirmEvents. */
  readonly confirm: ReconcilerOptions['confirm'];
  readonly intervalMs?: number;
  readonly minAgeMs?: number;
  readonly graceMs?: number;
}

export interface Outbox {
  start(): void;
  stop(): Promise<void>;
  /** Publishes now instead of at the next poll. Writes through the database wake it by themselves. */
  wake(): void;
  reconcile(): Promise<void>;
  state(): Promise<OutboxState>;
}

/** The relay and the reconciler of one service. Runs in every instance: they take turns. */
export function createOutbox(options: OutboxOptions): Outbox {
  const { database, bus, logger, metrics } = options;
  const relay = createRelay({ database, bus, logger, metrics });
  const reconciler = createReconciler({ ...options, metrics, wakeRelay: relay.wake });
  return {
    start() {
      database.onWrite(relay.wake);
      relay.start();
      reconciler.start();
    },
    async stop() {
      await Promise.all([relay.stop(), reconciler.stop()]);
    },
    wake: relay.wake,
    reconcile: reconciler.reconcile,
    state: () => readState(database.sql),
  };
}
