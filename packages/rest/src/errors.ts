/** One thing that is wrong with a request, in the words of google.rpc.BadRequest.FieldViolation. */
export interface FieldViolation {
  /** Path of the field in the request message (`amount.minorUnits`, `items[2].id`), or empty for the request as a whole. */
  readonly field: string;
  /** Stable id of the rule that was broken: a client may branch on it. */
  readonly rule: RuleId;
  /** For people. Never holds the value that was sent. */
  readonly message: string;
}

/** Every rule a request can break here. A closed list: the README documents each, and a test compares the two. */
export const ruleIds = [
  'body.not_allowed',
  'json.depth',
  'json.duplicate_key',
  'json.forbidden_key',
  'json.keys',
  'json.surrogate',
  'json.syntax',
  'json.unknown_field',
  'json.utf8',
  'media_type',
  'oneof',
  'path.conflict',
  'query.count',
  'query.duplicate',
  'query.encoding',
  'query.not_bindable',
  'query.unknown',
  'type',
] as const;
export type RuleId = (typeof ruleIds)[number];

/** Why a request was refused, one word for the caller's own mapping to a status. */
export type RequestErrorReason =
  /** The path or the query can't be decoded, or names something that isn't there. */
  | 'INVALID_PARAMETER'
  /** The body is not JSON in UTF-8 within the bounds. */
  | 'MALFORMED_BODY'
  /** The body is JSON and doesn't fit the message. */
  | 'INVALID_BODY'
  /** The content type is not one that the route takes. */
  | 'UNSUPPORTED_MEDIA_TYPE';

/** A request that can't become a message. `violations` is never empty. */
export class RestRequestError extends Error {
  override readonly name = 'RestRequestError';
  readonly reason: RequestErrorReason;
  readonly violations: readonly FieldViolation[];

  constructor(reason: RequestErrorReason, violations: readonly FieldViolation[]) {
    super(violations[0]?.message ?? reason);
    this.reason = reason;
    this.violations = violations;
  }
}

/** A contract that can't be served: a fault of the .proto, found at start-up. */
export class RestContractError extends Error {
  override readonly name = 'RestContractError';
}

/** Longest path of a field that is repeated back to a client. */
const fieldPathLengthMax = 200;

/** Collects violations up to a bound, so that a hostile body can't make a long answer. */
export class ViolationList {
  /** Enough for a form with every field wrong. */
  static readonly max = 32;
  readonly items: FieldViolation[] = [];

  add(field: string, rule: RuleId, message: string): void {
    if (this.items.length < ViolationList.max) {
      this.items.push({ field: shorten(field), rule, message });
    }
  }

  throwIfAny(reason: RequestErrorReason): void {
    if (this.items.length > 0) {
      throw new RestRequestError(reason, this.items);
    }
  }
}

function shorten(field: string): string {
  return field.length > fieldPathLengthMax ? `${field.slice(0, fieldPathLengthMax)}…` : field;
}
