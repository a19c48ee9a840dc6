import { timingSafeEqual } from 'node:crypto';
import { generateSecret, generateSync, generateURI } from 'otplib';
import QrCode from 'qrcode';

/** RFC 6238, as every authenticator application has it. */
export const totpPeriodS = 30;
const digits = 6;
const seedBytes = 20; // RFC 4226 section 4, R6: 160 bits
/** Decisions: the current step and one back, for slow typing and a slow clock; none ahead. */
const stepsBack = 1;

export function generateSeed(): string {
  return generateSecret({ length: seedBytes });
}

export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / 1000 / totpPeriodS);
}

/**
 * The step that a code belongs to; undefined if to none that counts now. All candidates are compared, in constant time.
 */
export function stepOfCode(seed: string, code: string, nowMs: number): number | undefined {
  const current = stepAt(nowMs);
  let found: number | undefined;
  for (let step = current; step >= current - stepsBack; step -= 1) {
    if (isSameCode(codeAt(seed, step), code)) found ??= step;
  }
  return found;
}

export function codeAt(seed: string, step: number): string {
  return generateSync({ secret: seed, epoch: step * totpPeriodS, period: totpPeriodS, digits });
}

function isSameCode(expected: string, code: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(code)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export interface Enrolment {
  readonly secret: string;
  readonly otpauthUri: string;
  readonly qrCodeSvg: string;
  readonly qrCodePng: Buffer;
}

/** The seed in every form that an application takes (S7.1). */
export async function describeEnrolment(seed: string, issuer: string, label: string): Promise<Enrolment> {
  const otpauthUri = generateURI({ issuer, label, secret: seed, digits, period: totpPeriodS });
  const [qrCodeSvg, qrCodePng] = await Promise.all([
    QrCode.toString(otpauthUri, { type: 'svg' }),
    QrCode.toBuffer(otpauthUri, { type: 'png' }),
  ]);
  return { secret: seed, otpauthUri, qrCodeSvg, qrCodePng };
}
