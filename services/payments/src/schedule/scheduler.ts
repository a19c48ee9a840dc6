import type { Deps } from '../deps.ts';
import { createLoop, type Loop } from '../work/loop.ts';
import { runDuePayment } from './run-due-payment.ts';
import { countDue } from './schedule-store.ts';

const paymentsPerPassMax = 100;

/** Looks for due payments. Runs in every instance: a row that one has locked is skipped by the others. */
export function createScheduler(
  deps: Pick<Deps, 'config' | 'database' | 'logger' | 'metrics' | 'now' | 'signals'>,
): Loop {
  return createLoop({
    name: 'scheduler',
    intervalMs: deps.config.SCHEDULER_INTERVAL_MS,
    logger: deps.logger,
    signals: deps.signals,
    wakeOn: 'schedule',
    async pass(signal) {
      let count = 0;
      while (count < paymentsPerPassMax && !signal.aborted && (await runDuePayment(deps))) count += 1;
      deps.metrics.set('payments_scheduled_due', count < paymentsPerPassMax ? 0 : await countDue(deps.database));
      if (count > 0) {
        deps.signals.raise('psp-task');
        deps.signals.raise('payment-changed');
        deps.signals.raise('webhook-delivery');
      }
      return count === paymentsPerPassMax;
    },
  });
}
