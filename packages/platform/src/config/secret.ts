import { inspect } from 'node:util';

const redacted = '[secret]';

/** A value that shows itself only when asked by name: not in logs, templates, JSON or a debugger's inspection (S3.2). */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }

  [Symbol.toPrimitive](): string {
    return redacted;
  }
}
