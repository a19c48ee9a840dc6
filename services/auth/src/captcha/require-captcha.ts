import type { Keyring } from '@strongroom/platform/crypto';
import { lockoutPolicyOf } from '../config.ts';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { currentState, emailKey } from '../lockout/lockout.ts';
import { useProof } from '../used-proof-store.ts';
import { type CaptchaKeys, captchaLifeS, checkCaptcha, isCaptchaNeeded } from './captcha.ts';

export function captchaKeysOf(keyring: Keyring): CaptchaKeys {
  const keyOf = (purpose: string) => keyring.subkey(purpose).toString('base64');
  return { signature: keyOf('captcha-signature'), solution: keyOf('captcha-solution') };
}

/** S1.3e: refuses unless a fresh, unused solution came along where one is needed. */
export async function requireCaptcha(deps: Deps, captcha: string | undefined, email: string): Promise<void> {
  const mode = deps.config.CAPTCHA_MODE;
  if (mode === 'off') return;
  const facts = { failures: await failuresAt(deps, email), isSprayed: deps.spray.isTripped() };
  if (!isCaptchaNeeded(mode, facts)) return;
  const hash = captcha === undefined ? undefined : await checkCaptcha(captchaKeysOf(deps.keyring), captcha);
  if (hash === undefined || !(await useProof(deps.database, hash, captchaLifeS))) throw errors.CAPTCHA_REQUIRED();
}

async function failuresAt(deps: Deps, email: string): Promise<number> {
  const known = await deps.guard.read(emailKey(email));
  if (known === undefined) return 0;
  const policy = lockoutPolicyOf(deps.config);
  const state = currentState(known.state, known.nowMs, policy);
  return state.unlockTimeMs === undefined ? state.attemptTimesMs.length : policy.attemptsMax;
}
