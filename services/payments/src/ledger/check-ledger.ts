import type { Deps } from '../deps.ts';
import { createLoop, type Loop } from '../work/loop.ts';
import { sumLedger } from './ledger-store.ts';

/** Every entry is read: often enough for an alert, and seldom enough for the database. */
const intervalMs = 900_000;

/** Whether the entries of each currency sum up to 0, as every transaction's do. Tells of it as a metric. */
export async function isLedgerBalanced({ database, metrics }: Pick<Deps, 'database' | 'metrics'>): Promise<boolean> {
  const sums = await sumLedger(database);
  for (const { currencyCode, minorUnits } of sums) {
    metrics.set('ledger_imbalance', Number(minorUnits), { currency: currencyCode });
  }
  return sums.every(({ minorUnits }) => minorUnits === 0n);
}

/** Looks by itself, because an alert can't wait until somebody asks for the balances. */
export function createLedgerCheck(deps: Pick<Deps, 'database' | 'metrics' | 'logger'>): Loop {
  return createLoop({
    name: 'ledger-check',
    intervalMs,
    logger: deps.logger,
    async pass() {
      if (!(await isLedgerBalanced(deps))) deps.logger.error('the ledger does not add up');
      return false;
    },
  });
}
