import { commonErrors } from '@strongroom/platform/errors';
import type { Deps } from '../deps.ts';
import { contextTokens, type PasswordContext, passwordFaults, strengthFaults } from './password.ts';

/** S2.5: every broken rule at once, with a hint, and never the password itself. */
export async function requireGoodPassword(
  deps: Pick<Deps, 'hasher'>,
  field: string,
  password: string,
  context: PasswordContext,
  signal?: AbortSignal,
): Promise<void> {
  const faults = passwordFaults(password, context);
  const strength = await deps.hasher.measure(password, contextTokens(context), signal);
  const violations = [...faults, ...strengthFaults(password, strength)].map(({ rule, message }) => ({
    field,
    rule,
    message,
  }));
  if (violations.length > 0) throw commonErrors.VALIDATION_FAILED({ violations });
}
