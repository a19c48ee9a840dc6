import { type Call, requireAssurance, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { isAbove, type Money } from '../money/money.ts';

const assurance = { mfa: true, maxAuthenticationAgeS: 900 };

/** A stolen token alone moves no large sum: above STEP_UP_AMOUNT the person must have been there just now (ASVS V7.5.3). */
export function requireStepUp({ config }: Pick<Deps, 'config'>, call: Call, amount: Money): void {
  if (config.STEP_UP_AMOUNT > 0 && isAbove(amount, config.STEP_UP_AMOUNT)) {
    requireAssurance(requirePrincipal(call), assurance);
  }
}
