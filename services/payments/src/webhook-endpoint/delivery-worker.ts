import { createLoop, type Loop } from '../work/loop.ts';
import type { Signals } from '../work/signals.ts';
import { type DeliverDeps, deliver } from './deliver.ts';
import { claimDeliveries, countPendingDeliveries } from './webhook-delivery-store.ts';

const pollMs = 500;
const batchSizeMax = 32;
/** Longer than any attempt, so that no delivery is made twice by two instances. */
const leaseFactor = 3;

/** Sends what is due, a batch at a time. Runs in every instance: they take turns. */
export function createDeliveryWorker(deps: DeliverDeps & { readonly signals: Signals }): Loop {
  return createLoop({
    name: 'webhook-deliveries',
    intervalMs: pollMs,
    logger: deps.logger,
    signals: deps.signals,
    wakeOn: 'webhook-delivery',
    async pass() {
      const leaseMs = deps.config.WEBHOOK_TIMEOUT_MS * leaseFactor;
      const claimed = await claimDeliveries(deps.database, leaseMs, batchSizeMax);
      const outcomes = await Promise.allSettled(claimed.map((delivery) => deliver(deps, delivery)));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') deps.logger.warn({ err: outcome.reason }, 'a delivery was put off');
      }
      if (claimed.length > 0)
        deps.metrics.set('webhook_deliveries_pending', await countPendingDeliveries(deps.database));
      return claimed.length === batchSizeMax;
    },
  });
}
