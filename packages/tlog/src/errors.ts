/** The closed list of reasons this package refuses something. */
export type TlogErrorCode =
  | 'OUT_OF_RANGE'
  | 'LIMIT_EXCEEDED'
  | 'NOT_CANONICAL'
  | 'MALFORMED_KEY'
  | 'MALFORMED_NOTE'
  | 'MALFORMED_CHECKPOINT'
  | 'MALFORMED_PROOF'
  | 'MALFORMED_TILE'
  | 'MALFORMED_EXPORT'
  | 'MALFORMED_REQUEST'
  | 'TILE_MISSING'
  | 'BAD_SIGNATURE'
  | 'UNTRUSTED_NOTE'
  | 'UNWITNESSED'
  | 'INVALID_PROOF'
  | 'WITNESS_REFUSED'
  | 'WITNESS_AHEAD'
  | 'STORE_UNSAFE';

/** Every refusal of this package: `code` for programs, `message` for people. */
export class TlogError extends Error {
  readonly code: TlogErrorCode;

  constructor(code: TlogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TlogError';
    this.code = code;
  }
}

/** Throws OUT_OF_RANGE unless `value` is an integer that a double holds exactly (0 to 2^53 - 1). */
export function requireCount(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TlogError('OUT_OF_RANGE', `${what} must be a whole number from 0 to 2^53 - 1, got ${value}`);
  }
}
