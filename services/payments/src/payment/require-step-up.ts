import { type Call, requireAssurance, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { findListedAmount } from '../money/amount-list.ts';
import { type Money, toMinorUnits } from '../money/money.ts';

const assurance = { mfa: true, maxAuthenticationAgeS: 900 };

/**
 * A stolen token alone moves no large sum: above the bound of its currency (STEP_UP_AMOUNTS, else STEP_UP_AMOUNT of whole
 * units; 0: none) the person must have been there just now (ASVS V7.5.3).
 */
export function requireStepUp({ config }: Pick<Deps, 'config'>, call: Call, amount: Money): void {
  const bound =
    findListedAmount(config.STEP_UP_AMOUNTS, amount.currencyCode) ??
    toMinorUnits(config.STEP_UP_AMOUNT, amount.currencyCode);
  if (bound > 0n && amount.minorUnits > bound) requireAssurance(requirePrincipal(call), assurance);
}
