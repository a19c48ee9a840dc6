const textLengthMax = 8_192;
const depthMax = 8;
const itemsMax = 100;
const redacted = '[redacted]';
const unreadable = '[unreadable]';

/** Fields whose values never enter a log, compared without case, dashes and underscores. */
const secretField =
  /^(.*(password|passwd|secret|token|authorization|cookie|apikey|privatekey|masterkey|passphrase|credential|signature|otp|totp|backupcode|cvc|cvv|pan|cardnumber|accountnumber|iban|ssn|taxid|email|phone|dateofbirth|address(line\d?)?|mfacode|fingerprint|useragent|ipaddress|ip)|code\d*|pin|seed|dsn)s?$/;
/** Names that the rule above would hide though they hold nothing of the kind. */
const harmlessField = /^(tokenid|hasemail|listenaddress|passwordchangerequired|code|errorcode|grpccode|zip)$/;

const patterns: readonly [RegExp, string | ((match: string) => string)][] = [
  [/\b(?:Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{6,}/gi, '[redacted authorization]'],
  [/\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?/g, '[redacted token]'],
  [
    /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]{0,128}:[^\s/@]{1,256}@/gi,
    (match) => `${match.split('://')[0]}://[redacted]@`,
  ],
  [/[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, '[redacted e-mail]'],
  [/\b(?:password|passwd|secret|token|api[-_]?key|cookie|set-cookie)\s*[=:]\s*"?[^\s",;}&]{1,512}/gi, keepName],
  [/(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-]?\d)/g, (match) => (isCardNumber(match) ? '[redacted card]' : match)],
  [/(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])/g, '[redacted ssn]'],
  [/(?<![\w+])\+[1-9]\d{0,2}(?:[ ().-]{0,2}\d){6,13}(?!\d)/g, '[redacted phone]'],
];

function keepName(match: string): string {
  return `${/^[^=:]*[=:]/.exec(match)?.[0] ?? ''}${redacted}`;
}

/** A text without credentials, e-mail addresses, card numbers, phone numbers and social security numbers (S6.2). */
export function redactText(text: string): string {
  let result = text.length > textLengthMax ? `${text.slice(0, textLengthMax)}…` : text;
  for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement as string);
  return result;
}

/** The Luhn check of ISO/IEC 7812 keeps ids and amounts from being taken for card numbers. */
function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && !/^0+$/.test(digits);
}

export function isSecretField(name: string): boolean {
  const plain = name.toLowerCase().replace(/[-_.]/g, '');
  return secretField.test(plain) && !harmlessField.test(plain);
}

/**
 * A copy of a value that may be logged. Bounded in depth and size: a log line is no dump. Never throws: a value that can't
 * be read, such as an error with a getter that fails, must not cost a call its answer.
 */
export function redactValue(value: unknown, depth = 0): unknown {
  try {
    return copyOf(value, depth);
  } catch {
    return unreadable;
  }
}

function copyOf(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return '[deep]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => redactValue(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return redactValue(value.toJSON(), depth + 1);
  return redactFields(value, depth);
}

function redactFields(value: object, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value).slice(0, itemsMax)) {
    const holdsValue = field !== undefined && field !== null && typeof field !== 'boolean';
    result[name] = holdsValue && isSecretField(name) ? redacted : redactValue(field, depth + 1);
  }
  return result;
}

/** Postgres puts values of rows into `detail` and `where`, and drizzle its parameters into the message. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  const message = error.message.split('\nparams:')[0] ?? '';
  const stack = error.stack?.replace(error.message, message);
  const result: Record<string, unknown> = { type: error.name, message: redactText(message) };
  if (stack !== undefined) result['stack'] = redactText(stack);
  for (const field of ['code', 'reason', 'errno', 'syscall', 'constraint_name', 'table_name', 'routine'] as const) {
    const extra = (error as unknown as Record<string, unknown>)[field];
    if (typeof extra === 'string' || typeof extra === 'number') result[field] = extra;
  }
  if (error.cause !== undefined) result['cause'] = redactValue(error.cause, depth + 1);
  return result;
}
