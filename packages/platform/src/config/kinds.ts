import { accessSync, constants } from 'node:fs';
import { parseMasterKey } from '../crypto/keyring.ts';
import { Secret } from './secret.ts';

/** What is wrong with a variable's text, said without the text. */
export class RuleFault extends Error {
  override name = 'RuleFault';
}

/** How one variable is read: from its text to its value, or a RuleFault. */
export interface Kind<T> {
  readonly kind: string;
  readonly doc: string;
  /** The default as it would stand in .env.example; undefined where the variable must be given. */
  readonly defaultText: string | undefined;
  readonly optional: boolean;
  /** Secrets, and URLs that may hold a password: production refuses defaults and weak values. */
  readonly sensitive: boolean;
  /** A URL that production takes without TLS too: what goes there is public, or the service has a rule of its own. */
  readonly mayBeClear?: boolean;
  /** The rule as a half-sentence, for .env.example. */
  readonly rule: string;
  parse(text: string): T;
  readonly absent: T | undefined;
}

interface Options<T> {
  readonly doc: string;
  readonly default?: T;
}
interface OptionalOptions {
  readonly doc: string;
  readonly optional: true;
}
/** Either with a default, or required, or optional: then its value may be undefined. */
type Declared<T, Extra> = Extra & (Options<T> | OptionalOptions);
type ValueOf<T, O> = O extends { optional: true } ? T | undefined : T;

function kindOf<T, O extends Options<T> | OptionalOptions>(
  kind: string,
  options: O,
  rule: string,
  parse: (text: string) => T,
  print: (value: T) => string = String,
  sensitive = false,
): Kind<ValueOf<T, O>> {
  const standard = 'default' in options ? options.default : undefined;
  return {
    kind,
    doc: options.doc,
    rule,
    sensitive,
    optional: 'optional' in options,
    defaultText: standard === undefined ? undefined : print(standard),
    absent: standard as ValueOf<T, O> | undefined,
    parse: parse as (text: string) => ValueOf<T, O>,
  };
}

type Bounds = { readonly min?: number; readonly max?: number };

function wholeNumber(name: string, { min, max }: Required<Bounds>) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text)) throw new RuleFault(`must be a whole number (${name})`);
    if (value < min || value > max) throw new RuleFault(`must be from ${min} to ${max}`);
    return value;
  };
}

function numberKind<O extends Declared<number, Bounds>>(
  kind: string,
  unit: string,
  bounds: Required<Bounds>,
  options: O,
) {
  const limits = { min: options.min ?? bounds.min, max: options.max ?? bounds.max };
  const rule = `${unit}, from ${limits.min} to ${limits.max}`;
  return kindOf<number, O>(kind, options, rule, wholeNumber(unit, limits));
}

const dayS = 86_400;
const yearDays = 366;
const portMax = 65_535;

export function port<const O extends Declared<number, Bounds>>(options: O): Kind<ValueOf<number, O>> {
  return numberKind('port', 'a TCP port', { min: 0, max: portMax }, options);
}

export function integer<const O extends Declared<number, Bounds>>(options: O): Kind<ValueOf<number, O>> {
  return numberKind('integer', 'a whole number', { min: 0, max: Number.MAX_SAFE_INTEGER }, options);
}

export function durationMs<const O extends Declared<number, Bounds>>(options: O): Kind<ValueOf<number, O>> {
  return numberKind('durationMs', 'milliseconds', { min: 0, max: 7 * dayS * 1000 }, options);
}

export function durationS<const O extends Declared<number, Bounds>>(options: O): Kind<ValueOf<number, O>> {
  return numberKind('durationS', 'seconds', { min: 0, max: 10 * yearDays * dayS }, options);
}

export function boolean<const O extends Declared<boolean, unknown>>(options: O): Kind<ValueOf<boolean, O>> {
  return kindOf<boolean, O>('boolean', options, 'true or false', (text) => {
    if (text !== 'true' && text !== 'false') throw new RuleFault('must be true or false');
    return text === 'true';
  });
}

export function oneOf<const V extends string, const O extends Declared<NoInfer<V>, unknown>>(
  values: readonly V[],
  options: O,
): Kind<ValueOf<V, O>> {
  return kindOf<V, O>('oneOf', options, `one of ${values.join(', ')}`, (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new RuleFault(`must be one of ${values.join(', ')}`);
    return found;
  });
}

type TextExtra = { readonly maxLength?: number; readonly pattern?: RegExp };
const textLengthMax = 4096;

export function text<const O extends Declared<string, TextExtra>>(options: O): Kind<ValueOf<string, O>> {
  const maxLength = options.maxLength ?? textLengthMax;
  return kindOf<string, O>('text', options, `text of at most ${maxLength} characters`, (value) => {
    if (value.length > maxLength) throw new RuleFault(`must have at most ${maxLength} characters`);
    if (options.pattern && !options.pattern.test(value)) throw new RuleFault(`must match ${options.pattern.source}`);
    return value;
  });
}

type ListExtra = { readonly maxItems?: number; readonly itemPattern?: RegExp; readonly oneOf?: readonly string[] };
const listItemsMax = 100;

/** Comma-separated; blanks around items are dropped, empty items too. */
export function list<const O extends Declared<readonly string[], ListExtra>>(
  options: O,
): Kind<ValueOf<readonly string[], O>> {
  const maxItems = options.maxItems ?? listItemsMax;
  const rule = options.oneOf ? `comma-separated, of ${options.oneOf.join(', ')}` : 'comma-separated';
  const parse = (value: string): readonly string[] => {
    const items = value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    if (items.length > maxItems) throw new RuleFault(`must have at most ${maxItems} items`);
    for (const item of items) {
      if (options.itemPattern && !options.itemPattern.test(item)) {
        throw new RuleFault(`each item must match ${options.itemPattern.source}`);
      }
      if (options.oneOf && !options.oneOf.includes(item)) {
        throw new RuleFault(`each item must be one of ${options.oneOf.join(', ')}`);
      }
    }
    return items;
  };
  return kindOf<readonly string[], O>('list', options, rule, parse, (items) => items.join(','));
}

type UrlExtra = { readonly protocols?: readonly string[]; readonly mayBeClear?: boolean };

/** An absolute URL of one of the protocols. It may hold a password, so it counts as sensitive and is never printed. */
export function url<const O extends Declared<string, UrlExtra>>(options: O): Kind<ValueOf<string, O>> {
  const protocols = options.protocols ?? ['http:', 'https:'];
  const rule = `a URL of ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  const parse = (value: string): string => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed === undefined || parsed.host === '') throw new RuleFault('must be an absolute URL');
    if (!protocols.includes(parsed.protocol)) throw new RuleFault(`must be ${rule}`);
    return value;
  };
  return { ...kindOf<string, O>('url', options, rule, parse, String, true), mayBeClear: options.mayBeClear === true };
}

type SecretExtra = { readonly minBytes?: number };
const secretBytesMin = 16;

export function secret<const O extends Declared<string, SecretExtra>>(options: O): Kind<ValueOf<Secret, O>> {
  const minBytes = options.minBytes ?? secretBytesMin;
  const parse = (value: string): Secret => {
    if (Buffer.byteLength(value) < minBytes) throw new RuleFault(`must have at least ${minBytes} bytes`);
    return new Secret(value);
  };
  const kind = kindOf<string, O>('secret', options, `a secret of at least ${minBytes} bytes`, String, String, true);
  const standard = kind.absent as string | undefined;
  return {
    ...kind,
    parse: parse as (value: string) => ValueOf<Secret, O>,
    absent: (standard === undefined ? undefined : new Secret(standard)) as ValueOf<Secret, O> | undefined,
  };
}

/** A 256-bit key: 64 hex digits or 44 characters of base64. Its Secret holds the text. */
export function keyBytes<const O extends Declared<string, unknown>>(options: O): Kind<ValueOf<Secret, O>> {
  const kind = secret({ ...options, minBytes: 1 } as O & SecretExtra);
  const parse = (value: string): Secret => {
    if (parseMasterKey(value) === undefined) throw new RuleFault('must be 64 hex digits or 44 characters of base64');
    return new Secret(value);
  };
  return {
    ...kind,
    kind: 'keyBytes',
    rule: '32 bytes as 64 hex digits or 44 characters of base64',
    parse: parse as (value: string) => ValueOf<Secret, O>,
  } as Kind<ValueOf<Secret, O>>;
}

/** The path of a file that can be read. */
export function file<const O extends Declared<string, unknown>>(options: O): Kind<ValueOf<string, O>> {
  return kindOf<string, O>('file', options, 'the path of a readable file', (path) => {
    try {
      accessSync(path, constants.R_OK);
    } catch (cause) {
      throw new RuleFault('must be the path of a readable file', { cause });
    }
    return path;
  });
}
