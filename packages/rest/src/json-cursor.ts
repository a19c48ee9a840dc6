import type { JsonValue } from '@bufbuild/protobuf';
import type { RuleId } from './errors.ts';
import { RestRequestError, ViolationList } from './errors.ts';

/** Bounds on a JSON body. */
export interface JsonLimits {
  /** Deepest nesting of objects and arrays. */
  readonly depthMax: number;
  /** Most object keys in the whole body. */
  readonly keysMax: number;
}

const quote = 0x22;
const backslash = 0x5c;
const braceOpen = 0x7b;
const braceClose = 0x7d;
const bracketOpen = 0x5b;
const bracketClose = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

/** Keys that reach an object's prototype when a value is copied carelessly further on. */
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);
/** A JSON number and nothing else (RFC 8259, 6). Sticky: tried at the cursor. */
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** RFC 8259, 7: control characters must be escaped. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlPattern = /[\u0000-\u001f]/;

export type JsonKind = 'string' | 'number' | 'object' | 'array' | 'true' | 'false' | 'null';

/**
 * A strict JSON reader over one text, which the message decoder drives. Nothing is built but what the decoder asks
 * for, and numbers are handed over as text, so no integer loses a digit on its way into an int64.
 */
export class JsonCursor {
  readonly violations = new ViolationList();
  readonly path: (string | number)[] = [];
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  /** Where the next backslash is, at or after the cursor: looked for once, or every string would scan to the end. */
  #nextBackslash = -1;
  #depth = 0;
  #keys = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  /** Path of the value under the cursor, as in `items[2].amount`. */
  fieldPath(): string {
    let path = '';
    for (const step of this.path) {
      path += typeof step === 'number' ? `[${step}]` : path === '' ? step : `.${step}`;
    }
    return path;
  }

  /** Records a violation at the cursor's path; reading goes on. */
  report(rule: RuleId, message: string): void {
    this.violations.add(this.fieldPath(), rule, message);
  }

  /** Ends the reading: what follows can't be made sense of, or isn't worth the work. */
  fail(rule: RuleId, message: string): never {
    throw new RestRequestError('MALFORMED_BODY', [{ field: this.fieldPath(), rule, message }]);
  }

  peekKind(): JsonKind {
    switch (this.#skipSpace()) {
      case quote:
        return 'string';
      case braceOpen:
        return 'object';
      case bracketOpen:
        return 'array';
      case 0x74:
        return 'true';
      case 0x66:
        return 'false';
      case 0x6e:
        return 'null';
      default:
        return 'number';
    }
  }

  /** Consumes `null` if it is next. */
  takeNull(): boolean {
    if (this.#skipSpace() !== 0x6e) {
      return false;
    }
    this.readWord('null');
    return true;
  }

  readWord(word: 'true' | 'false' | 'null'): void {
    this.#skipSpace();
    if (!this.#text.startsWith(word, this.#at)) {
      this.#failSyntax();
    }
    this.#at += word.length;
  }

  /** The number's own text. */
  readNumber(): string {
    this.#skipSpace();
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (match === null) {
      this.#failSyntax();
    }
    this.#at += match[0].length;
    return match[0];
  }

  readString(): string {
    if (this.#skipSpace() !== quote) {
      this.#failSyntax();
    }
    const start = this.#at + 1;
    let end = this.#text.indexOf('"', start);
    if (this.#nextBackslash < start) {
      const found = this.#text.indexOf('\\', start);
      this.#nextBackslash = found < 0 ? Number.POSITIVE_INFINITY : found;
    }
    if (this.#nextBackslash > end) {
      const plain = end < 0 ? this.#failSyntax() : this.#text.slice(start, end);
      if (controlPattern.test(plain)) {
        this.#failSyntax();
      }
      this.#at = end + 1;
      return plain;
    }
    end = this.#endOfEscapedString(this.#nextBackslash);
    let text: unknown;
    try {
      text = JSON.parse(this.#text.slice(start - 1, end + 1));
    } catch {
      this.#failSyntax();
    }
    this.#at = end + 1;
    if (!(text as string).isWellFormed()) {
      this.fail('json.surrogate', 'holds half of a surrogate pair, which is no character');
    }
    return text as string;
  }

  /** Reads an object, calling back at each value with its key; the callback must consume the value. */
  readObject(onKey: (key: string) => void): void {
    this.#enter(braceOpen);
    if (this.#skipSpace() === braceClose) {
      this.#leave();
      return;
    }
    for (;;) {
      const key = this.#readKey();
      this.path.push(key);
      onKey(key);
      this.path.pop();
      const next = this.#skipSpace();
      if (next === braceClose) {
        this.#leave();
        return;
      }
      if (next !== comma) {
        this.#failSyntax();
      }
      this.#at++;
    }
  }

  /** Reads an array, calling back at each element; the callback must consume it. */
  readArray(onElement: (index: number) => void): void {
    this.#enter(bracketOpen);
    if (this.#skipSpace() === bracketClose) {
      this.#leave();
      return;
    }
    for (let index = 0; ; index++) {
      this.path.push(index);
      onElement(index);
      this.path.pop();
      const next = this.#skipSpace();
      if (next === bracketClose) {
        this.#leave();
        return;
      }
      if (next !== comma) {
        this.#failSyntax();
      }
      this.#at++;
    }
  }

  /** Reads any value with every check; used for the types whose content has no schema, and to step over a value. */
  readValue(): JsonValue {
    switch (this.peekKind()) {
      case 'string':
        return this.readString();
      case 'object': {
        const object: Record<string, JsonValue> = {};
        const seen = new Set<string>();
        this.readObject((key) => {
          this.checkKeyIsNew(seen, key);
          object[key] = this.readValue();
        });
        return object;
      }
      case 'array': {
        const array: JsonValue[] = [];
        this.readArray(() => {
          array.push(this.readValue());
        });
        return array;
      }
      case 'true':
        this.readWord('true');
        return true;
      case 'false':
        this.readWord('false');
        return false;
      case 'null':
        this.readWord('null');
        return null;
      default: {
        const number = Number(this.readNumber());
        if (!Number.isFinite(number)) {
          this.report('type', 'is out of the range of a double');
        }
        return number;
      }
    }
  }

  checkKeyIsNew(seen: Set<string>, key: string): void {
    if (seen.has(key)) {
      this.fail('json.duplicate_key', 'the key stands twice in one object');
    }
    seen.add(key);
  }

  /** Nothing but white space may follow the value. */
  expectEnd(): void {
    if (!Number.isNaN(this.#skipSpace())) {
      this.#failSyntax();
    }
  }

  #readKey(): string {
    if (++this.#keys > this.#limits.keysMax) {
      this.fail('json.keys', `more than ${this.#limits.keysMax} keys`);
    }
    const key = this.readString();
    if (forbiddenKeys.has(key)) {
      this.fail('json.forbidden_key', 'the key is not allowed in any object');
    }
    if (this.#skipSpace() !== colon) {
      this.#failSyntax();
    }
    this.#at++;
    return key;
  }

  #enter(opening: number): void {
    if (this.#skipSpace() !== opening) {
      this.#failSyntax();
    }
    if (++this.#depth > this.#limits.depthMax) {
      this.fail('json.depth', `nested deeper than ${this.#limits.depthMax}`);
    }
    this.#at++;
  }

  #leave(): void {
    this.#depth--;
    this.#at++;
  }

  /** Steps over white space and tells the character there; NaN at the end. */
  #skipSpace(): number {
    for (;;) {
      const char = this.#text.charCodeAt(this.#at);
      if (char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09) {
        this.#at++;
      } else {
        return char;
      }
    }
  }

  #endOfEscapedString(firstEscape: number): number {
    let at = firstEscape;
    for (;;) {
      const char = this.#text.charCodeAt(at);
      if (char === quote) {
        return at;
      }
      if (Number.isNaN(char)) {
        this.#at = this.#text.length;
        this.#failSyntax();
      }
      at += char === backslash ? 2 : 1;
    }
  }

  #failSyntax(): never {
    this.fail('json.syntax', `is not JSON (RFC 8259) at character ${this.#at}`);
  }
}
