/** What is wrong with a password, as a rule that clients can show. */
export interface PasswordFault {
  readonly rule: string;
  readonly message: string;
}

/** What a password must not resemble. */
export interface PasswordContext {
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/** How hard a password is to guess, as measured by the dictionaries (password-strength.ts). */
export interface PasswordStrength {
  readonly guessesLog10: number;
  /** Longest common password or word in it, in lower case, leet undone; empty if none. */
  readonly commonWord: string;
  readonly hints: readonly string[];
}

/** S2.5. Above ASVS V6.2.1's 8; composition rules stay although V6.2.5 would drop them (requirements.md, decisions). */
const passwordLengthMin = 12;
/** S2.4. The pre-hash takes any length (password-hash.ts), so the bound only keeps requests small. */
const passwordBytesMax = 255;
/** Guesses that an attacker must make, as a power of ten: 10⁹ is past online guessing at any rate that a lockout allows. */
const guessesLog10Min = 9;
/** What is left of a password without the words that an attacker knows must carry it alone. */
const ownPartLengthMin = 8;
const tokenLengthMin = 4;

/** ASVS V6.1.2: words that anyone who attacks this system tries first. */
const contextWords = ['strongroom', 'payments', 'payment', 'gateway', 'administrator', 'admin', 'password'] as const;

const composition: readonly (readonly [string, RegExp, string])[] = [
  ['password.uppercase', /\p{Lu}/u, 'must have an upper-case letter'],
  ['password.lowercase', /\p{Ll}/u, 'must have a lower-case letter'],
  ['password.digit', /\p{Nd}/u, 'must have a digit'],
  ['password.symbol', /[^\p{L}\p{N}]/u, 'must have a symbol'],
];

/** The rules that need no dictionary: length, composition, closeness to name, address and product words. */
export function passwordFaults(password: string, context: PasswordContext): PasswordFault[] {
  const faults: PasswordFault[] = [];
  // Characters as people count them, not UTF-16 units (ASVS V6.2.9).
  if ([...password].length < passwordLengthMin) {
    faults.push({ rule: 'password.length', message: `must have at least ${passwordLengthMin} characters` });
  }
  if (Buffer.byteLength(password) > passwordBytesMax) {
    faults.push({ rule: 'password.bytes', message: `must have at most ${passwordBytesMax} bytes` });
  }
  for (const [rule, pattern, message] of composition) {
    if (!pattern.test(password)) faults.push({ rule, message });
  }
  if (isCloseTo(password, contextTokens(context))) {
    faults.push({ rule: 'password.similar', message: 'must not be close to your name, e-mail address or our product' });
  }
  return faults;
}

/** What the dictionaries add. */
export function strengthFaults(password: string, strength: PasswordStrength): PasswordFault[] {
  const hint = strength.hints.length === 0 ? '' : `: ${strength.hints.join(' ')}`;
  const restsOnWord = strength.commonWord !== '' && isCloseTo(password, [strength.commonWord]);
  if (strength.guessesLog10 >= guessesLog10Min && !restsOnWord) return [];
  return [{ rule: 'password.common', message: `is too easy to guess${hint}` }];
}

/** Words out of a person's own data, four letters and longer, and of the product. */
export function contextTokens({ email = '', name = '' }: PasswordContext): string[] {
  const [local = '', domain = ''] = email.split('@');
  const parts = [local, ...local.split(/[^\p{L}\p{N}]+/u), ...name.split(/\s+/u), ...domain.split('.').slice(0, -1)];
  const tokens = [...parts, name].map((part) => plainForm(part).replace(/[^\p{L}\p{N}]/gu, ''));
  return [...new Set([...contextWords, ...tokens])].filter((token) => token.length >= tokenLengthMin);
}

/** Whether, taken away the known words, too little is left to guess. */
function isCloseTo(password: string, tokens: readonly string[]): boolean {
  const plain = plainForm(password);
  const reversed = [...plain].reverse().join('');
  return [plain, reversed].some((form) => {
    const byLength = [...tokens].sort((a, b) => b.length - a.length);
    const rest = byLength.reduce((text, token) => text.replaceAll(token, ''), form);
    return rest !== form && [...rest].length < ownPartLengthMin;
  });
}

const leet: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** Lower case, accents and leet undone: the forms that guessing programs try. */
export function plainForm(text: string): string {
  const folded = text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return [...folded].map((character) => leet[character] ?? character).join('');
}
