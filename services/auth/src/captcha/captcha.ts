import { randomInt } from 'node:crypto';
import { sha256 } from '@strongroom/platform/crypto';
import { createChallenge, type Payload, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/sha';

/** S1.3e: when a proof of work is asked for. */
export type CaptchaMode = 'off' | 'after-failures' | 'always';

/** As many failures at an address before CAPTCHA_MODE=after-failures asks. */
const failuresMin = 2;
export const captchaLifeS = 300;
const payloadLengthMax = 4096;
const algorithm = 'SHA-256';

/** Alike for known and unknown addresses: only failures and the detector count (S1.3d). */
export function isCaptchaNeeded(mode: CaptchaMode, facts: { failures: number; isSprayed: boolean }): boolean {
  if (mode === 'always') return true;
  return mode === 'after-failures' && (facts.failures >= failuresMin || facts.isSprayed);
}

export interface CaptchaKeys {
  readonly signature: string;
  readonly solution: string;
}

/** An ALTCHA challenge: find the counter below `cost` whose hash is the one given. Nothing is stored. */
export async function makeCaptcha(keys: CaptchaKeys, cost: number, nowMs: number): Promise<string> {
  const challenge = await createChallenge({
    algorithm,
    cost: 1,
    counter: randomInt(cost),
    deriveKey,
    expiresAt: Math.floor(nowMs / 1000) + captchaLifeS,
    hmacSignatureSecret: keys.signature,
    hmacKeySignatureSecret: keys.solution,
  });
  return JSON.stringify(challenge);
}

/** The hash by which a solution counts once; undefined for one that isn't right. */
export async function checkCaptcha(keys: CaptchaKeys, text: string): Promise<Buffer | undefined> {
  const payload = readPayload(text);
  if (payload === undefined) return undefined;
  const result = await verifySolution({
    challenge: payload.challenge,
    solution: payload.solution,
    deriveKey,
    hmacSignatureSecret: keys.signature,
    hmacKeySignatureSecret: keys.solution,
  });
  return result.verified ? sha256(`captcha\n${payload.challenge.signature}`) : undefined;
}

/** Base64 of JSON, as the ALTCHA widget sends it. */
function readPayload(text: string): Payload | undefined {
  if (text.length > payloadLengthMax) return undefined;
  try {
    const payload = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Partial<Payload> | null;
    const { challenge, solution } = payload ?? {};
    const isWhole = typeof challenge?.parameters === 'object' && challenge.parameters.expiresAt !== undefined;
    return isWhole && typeof challenge.signature === 'string' && solution !== undefined
      ? { challenge, solution }
      : undefined;
  } catch {
    // What can't be read isn't a solution; there is nothing else to tell about it.
    return undefined;
  }
}
