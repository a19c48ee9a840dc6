import { TlogError } from './errors.ts';

/** The part of JSON that has exactly one meaning everywhere: no fractions, no numbers beyond 2^53 - 1. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

/** Deeper values are refused, so that no record can exhaust the stack of a verifier. */
export const CANONICAL_DEPTH_MAX = 32;

/**
 * RFC 8785 (JSON Canonicalization Scheme), restricted: strings, integers of magnitude at most 2^53 - 1, booleans, null,
 * arrays and plain objects. Refuses (NOT_CANONICAL) whatever would have two spellings or get lost in JSON: fractions,
 * infinities, -0, undefined, functions, symbols, bigint, lone surrogates, holes in arrays, objects with a prototype of
 * their own or a toJSON, accessors, hidden properties, more than 32 levels.
 */
export function canonicalJson(value: CanonicalValue): string {
  return serialise(value, 0);
}

function serialise(value: unknown, depth: number): string {
  if (depth > CANONICAL_DEPTH_MAX) throw refusal(`more than ${CANONICAL_DEPTH_MAX} levels`);
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'string') return serialiseString(value);
  if (typeof value === 'number') return serialiseInteger(value);
  if (typeof value !== 'object') throw refusal(`a value of type ${typeof value}`);
  return Array.isArray(value) ? serialiseArray(value, depth) : serialiseObject(value, depth);
}

// RFC 8785 section 3.2.2.2 takes ECMAScript's own string escapes, which JSON.stringify gives for well-formed strings.
function serialiseString(value: string): string {
  if (!value.isWellFormed()) throw refusal('a string with a lone surrogate');
  return JSON.stringify(value);
}

function serialiseInteger(value: number): string {
  if (!Number.isSafeInteger(value)) throw refusal('a number that is not an integer of at most 2^53 - 1');
  if (Object.is(value, -0)) throw refusal('negative zero');
  return String(value);
}

function serialiseArray(value: readonly unknown[], depth: number): string {
  if (Reflect.ownKeys(value).length !== value.length + 1) throw refusal('an array with holes or named properties');
  return `[${value.map((item) => serialise(item, depth + 1)).join(',')}]`;
}

function serialiseObject(value: object, depth: number): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refusal('an object that is not a plain one');
  const members = Reflect.ownKeys(value).map((key) => {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (typeof key !== 'string' || !property?.enumerable || !('value' in property)) {
      throw refusal('a symbol, hidden or computed property');
    }
    return [key, property.value] as const;
  });
  // RFC 8785 section 3.2.3: members stand in the order of their names' UTF-16 code units, as `<` compares strings.
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${serialiseString(key)}:${serialise(item, depth + 1)}`).join(',')}}`;
}

function refusal(what: string): TlogError {
  return new TlogError('NOT_CANONICAL', `a record cannot hold ${what}`);
}
