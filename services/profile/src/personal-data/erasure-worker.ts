import type { Deps } from '../deps.ts';
import { claimErasures } from './erasure-store.ts';
import { runErasure } from './run-erasure.ts';

const intervalMs = 15_000;
const batchSizeMax = 10;
const callTimeoutMs = 30_000;

export interface ErasureWorker {
  start(): void;
  stop(): Promise<void>;
  /** One round; also what tests call. */
  runOnce(): Promise<void>;
}

/** Finishes erasures that an outage or a crash cut off. The steps are idempotent, so two workers do no harm. */
export function createErasureWorker(deps: Deps): ErasureWorker {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function runOnce(): Promise<void> {
    for (const erasure of await claimErasures(deps.database, batchSizeMax)) {
      try {
        await runErasure(deps, erasure, { timeoutMs: callTimeoutMs });
      } catch (error) {
        deps.logger.warn({ err: error, erasureId: erasure.id }, 'erasure not done yet');
      }
    }
  }

  function tick(): void {
    running = running.then(runOnce).catch((error: unknown) => {
      deps.logger.warn({ err: error }, 'erasures could not be read');
    });
  }

  return {
    runOnce,
    start() {
      timer = setInterval(tick, intervalMs);
      tick();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
