import type { Deps } from '../deps.ts';
import { deleteExpiredKeys } from '../idempotency/idempotency-store.ts';
import { deleteOldEvents } from '../webhook/psp-webhook-store.ts';
import { deleteOldDeliveries } from '../webhook-endpoint/webhook-delivery-store.ts';
import { createLoop, type Loop } from './loop.ts';

const intervalMs = 60_000;
const rowsMax = 1_000;

/** Removes what has had its time: keys that no longer count, ids of webhooks too old to be repeated, and deliveries that are done. */
export function createPurge({ database, logger }: Pick<Deps, 'database' | 'logger'>): Loop {
  return createLoop({
    name: 'purge',
    intervalMs,
    logger,
    async pass() {
      const counts = [
        await deleteExpiredKeys(database, rowsMax),
        await deleteOldEvents(database, rowsMax),
        await deleteOldDeliveries(database, rowsMax),
      ];
      return counts.includes(rowsMax);
    },
  });
}
