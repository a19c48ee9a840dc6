/** What an attacker tries first (S3.2). Compared without regard to case. */
const weakPatterns = [
  'your-secret',
  'change-me',
  'changeme',
  'default-secret',
  'test-secret',
  'development-only',
  '123456',
  'password',
  'postgres:postgres',
  'guest',
  'admin:admin',
] as const;

/** Below this no secret withstands an offline search; 128 bits of key material measure well above it. */
const entropyBitsMin = 72;

/** The rule that a production secret breaks, or undefined. Never says anything about the value itself. */
export function weaknessOf(value: string): string | undefined {
  const lower = value.toLowerCase();
  const pattern = weakPatterns.find((weak) => lower.includes(weak));
  if (pattern !== undefined) return `must not hold the weak pattern "${pattern}"`;
  if (entropyBits(value) < entropyBitsMin) return `must not be so easy to guess (under ${entropyBitsMin} bits)`;
  return undefined;
}

/** The same for the credentials inside a URL; a URL without a password has none to guess. */
export function urlWeaknessOf(value: string): string | undefined {
  const { username, password } = new URL(value);
  if (password === '') return username === 'guest' ? 'must not use the account guest' : undefined;
  const credentials = `${username}:${password}`.toLowerCase();
  const pattern = weakPatterns.find((weak) => credentials.includes(weak));
  if (pattern !== undefined) return `must not hold the weak pattern "${pattern}"`;
  if (username === password) return 'must not have its user name as password';
  return undefined;
}

/**
 * Shannon entropy of the characters times the length of what doesn't repeat. A run like abcdef or 0123 counts as one
 * character: its letters differ, but nobody has to guess them.
 */
export function entropyBits(value: string): number {
  const period = periodOf(value);
  const unit = value.slice(0, period);
  const characters = [...unit].filter((_, index) => !continuesRun(unit, index));
  const counts = new Map<string, number>();
  for (const character of characters) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bitsPerCharacter = 0;
  for (const count of counts.values()) {
    const share = count / characters.length;
    bitsPerCharacter -= share * Math.log2(share);
  }
  return bitsPerCharacter * characters.length;
}

function periodOf(value: string): number {
  const next = `${value}${value}`.indexOf(value, 1);
  return next < 0 ? value.length : next;
}

function continuesRun(value: string, index: number): boolean {
  if (index < 2) return false;
  const step = value.charCodeAt(index) - value.charCodeAt(index - 1);
  return Math.abs(step) <= 1 && step === value.charCodeAt(index - 1) - value.charCodeAt(index - 2);
}
