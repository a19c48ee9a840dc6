const DIGITS_MIN = 13;
const DIGITS_MAX = 19;
const PHONE_DIGITS_MAX = 15; // E.164

/** Cheap first look: that many digits with at most one separator between them. */
const CANDIDATE_PATTERN = /\d(?:[ \u00a0.\-\u2010-\u2015]?\d){12,}/g;
const SEPARATOR_PATTERN = /[ \u00a0.\-\u2010-\u2015]/;
const UUID_PATTERN = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** Prefixes and lengths of the card schemes in use (ISO/IEC 7812 issuer ranges). */
const SCHEMES: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] }, // Visa
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] }, // Mastercard
  { prefix: /^3[47]/, lengths: [15] }, // American Express
  { prefix: /^3(?:0[0-5]|095|[689])/, lengths: [14, 16, 19] }, // Diners Club
  { prefix: /^6(?:011|4[4-9]|5)/, lengths: [16, 19] }, // Discover
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16, 17, 18, 19] }, // JCB
  { prefix: /^62/, lengths: [16, 17, 18, 19] }, // UnionPay
  { prefix: /^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, lengths: [13, 14, 15, 16, 17, 18, 19] }, // Maestro
];

/** Whether the text holds a card number: digits of a known scheme and length with a right check digit (S4.3). */
export function holdsCardNumber(text: string): boolean {
  if (text.length < DIGITS_MIN) return false;
  const candidates = text.replace(UUID_PATTERN, ' | ').matchAll(CANDIDATE_PATTERN);
  for (const candidate of candidates) {
    const run = candidate[0];
    const isInternational = candidate.index > 0 && candidate.input[candidate.index - 1] === '+';
    if (runHoldsCardNumber(run, isInternational)) return true;
  }
  return false;
}

function runHoldsCardNumber(run: string, isInternational: boolean): boolean {
  const groups = run.split(SEPARATOR_PATTERN);
  for (let start = 0; start < groups.length; start++) {
    let digits = '';
    for (let end = start; end < groups.length && digits.length <= DIGITS_MAX; end++) {
      digits += groups[end];
      if (isInternational && start === 0 && digits.length <= PHONE_DIGITS_MAX) continue; // a telephone number
      if (isCardNumber(digits)) return true;
    }
  }
  return false;
}

export function isCardNumber(digits: string): boolean {
  if (digits.length < DIGITS_MIN || digits.length > DIGITS_MAX) return false;
  const isKnown = SCHEMES.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits));
  return isKnown && isLuhnValid(digits);
}

function isLuhnValid(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
