import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import type { PspOutcome } from '../psp/psp.ts';
import { claimTask, type PspTask } from '../psp/psp-task-store.ts';
import type { Payment } from './payment.ts';

/** What the provider said about a payment, and the claim under which it was asked. */
export interface ProviderWord {
  readonly task: PspTask;
  /** Undefined: nothing ever had an effect. */
  readonly outcome: PspOutcome | undefined;
}

const retryAfterMs = 2_000;

/**
 * Takes the payment's task, so that no worker sends it in the meantime, and asks. Whoever held it before has lost it:
 * its result is refused by the fence.
 */
export async function askForCharge(
  deps: Pick<Deps, 'config' | 'database' | 'psp'>,
  payment: Payment,
): Promise<ProviderWord> {
  const task = await claimTask(deps.database, payment.id, deps.config.PSP_LEASE_MS);
  if (task === undefined) throw errors.OUTCOME_UNKNOWN({ retryAfterMs });
  try {
    return { task, outcome: await deps.psp.findCharge(payment.id) };
  } catch (cause) {
    throw errors.PSP_UNAVAILABLE({ cause, retryAfterMs });
  }
}
