import type { Deps } from './deps.ts';
import { createLedgerCheck } from './ledger/check-ledger.ts';
import { createPspWorker } from './psp/psp-worker.ts';
import { createScheduler } from './schedule/scheduler.ts';
import { createDeliveryWorker } from './webhook-endpoint/delivery-worker.ts';
import type { Loop } from './work/loop.ts';
import { createPurge } from './work/purge.ts';

/** What runs beside the calls. Each instance runs all of them; they take turns at the rows. */
export function createWorkers(deps: Deps): Loop {
  const workers = [
    createPspWorker(deps),
    createScheduler(deps),
    createDeliveryWorker(deps),
    createLedgerCheck(deps),
    createPurge(deps),
  ];
  return {
    start() {
      for (const worker of workers) worker.start();
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}
