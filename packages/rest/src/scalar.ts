import type { DescEnum, DescField } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';

/** A value that didn't fit; the text says what would have. */
export class ScalarMismatch {
  readonly expected: string;

  constructor(expected: string) {
    this.expected = expected;
  }
}

/** Turns text into a scalar's value in the form that protobuf-es keeps it. */
export type TextToScalar = (text: string) => unknown;

/** What is known of a scalar: a field, a list's element, a map's key or value. */
export interface ScalarShape {
  readonly scalar: ScalarType;
  readonly longAsString: boolean;
}

const decimalPattern = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
const plainIntegerPattern = /^-?(?:0|[1-9][0-9]{0,14})$/;
/** No integer of 64 bits has more digits; a bound, so that `1e999999999` costs nothing. */
const integerDigitsMax = 20;
/** Longest text of a number that is looked at. */
const numberLengthMax = 400;

const floatMax = 3.4028234663852886e38;

export function textToScalar(shape: ScalarShape): TextToScalar {
  switch (shape.scalar) {
    case ScalarType.STRING:
      return (text) => text;
    case ScalarType.BOOL:
      return textToBool;
    case ScalarType.BYTES:
      return textToBytes;
    case ScalarType.DOUBLE:
      return (text) => textToFloat(text, Number.MAX_VALUE, 'a double');
    case ScalarType.FLOAT:
      return (text) => textToFloat(text, floatMax, 'a float');
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return (text) => textToInt32(text, -2147483648, 2147483647);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return (text) => textToInt32(text, 0, 4294967295);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return (text) => textToInt64(text, 0n, 18446744073709551615n, shape.longAsString);
    default:
      return (text) => textToInt64(text, -9223372036854775808n, 9223372036854775807n, shape.longAsString);
  }
}

/** Words for a client about the type it should have sent. */
export function nameOfScalar(scalar: ScalarType): string {
  switch (scalar) {
    case ScalarType.STRING:
      return 'a string';
    case ScalarType.BOOL:
      return 'true or false';
    case ScalarType.BYTES:
      return 'a string of base64';
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return 'a number';
    default:
      return 'an integer';
  }
}

export function isNumeric(scalar: ScalarType): boolean {
  return scalar !== ScalarType.STRING && scalar !== ScalarType.BOOL && scalar !== ScalarType.BYTES;
}

const boolMismatch = new ScalarMismatch('must be true or false');

function textToBool(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : boolMismatch;
}

function textToInt32(text: string, min: number, max: number): unknown {
  const value = plainIntegerPattern.test(text) ? Number(text) : Number(textToBigInt(text) ?? Number.NaN);
  // "+ 0" turns -0 into 0.
  return value >= min && value <= max ? value + 0 : new ScalarMismatch(`must be an integer from ${min} to ${max}`);
}

function textToInt64(text: string, min: bigint, max: bigint, longAsString: boolean): unknown {
  const value = plainIntegerPattern.test(text) ? BigInt(text) : textToBigInt(text);
  if (value === undefined || value < min || value > max) {
    return new ScalarMismatch(`must be an integer from ${min} to ${max}`);
  }
  return longAsString ? value.toString() : value;
}

/** The integer that a JSON number names exactly: `1`, `1.0`, `1e3`, but neither `1.5` nor `0x1`. */
function textToBigInt(text: string): bigint | undefined {
  if (text.length > numberLengthMax) {
    return undefined;
  }
  const match = decimalPattern.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, '').replace(/0+$/, '');
  if (digits === '') {
    return 0n;
  }
  const trailingZeros = `${whole}${fraction}`.length - `${whole}${fraction}`.replace(/0+$/, '').length;
  const scale = Number(exponentText) - fraction.length + trailingZeros;
  if (scale < 0 || digits.length + scale > integerDigitsMax) {
    return undefined;
  }
  return BigInt(`${sign}${digits}${'0'.repeat(scale)}`);
}

function textToFloat(text: string, max: number, name: string): unknown {
  switch (text) {
    case 'NaN':
      return Number.NaN;
    case 'Infinity':
      return Number.POSITIVE_INFINITY;
    case '-Infinity':
      return Number.NEGATIVE_INFINITY;
  }
  const value = text.length <= numberLengthMax && decimalPattern.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= max ? value : new ScalarMismatch(`must be ${name}`);
}

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;
const base64UrlPattern = /^[A-Za-z0-9_-]*={0,2}$/;
const bytesMismatch = new ScalarMismatch('must be base64 or base64url (RFC 4648)');

/** Either alphabet, padded or not, as proto JSON has it; but never both alphabets, white space, or a lone digit. */
function textToBytes(text: string): unknown {
  if (!base64Pattern.test(text) && !base64UrlPattern.test(text)) {
    return bytesMismatch;
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) {
    return bytesMismatch;
  }
  // A copy of its own size: a small Buffer is a window on memory shared with other requests.
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Turns an enum value's name, or its number where the type is open, into the number. */
export function textToEnum(descEnum: DescEnum): TextToScalar {
  const numbers = new Map<string, number>();
  for (const value of descEnum.values) {
    numbers.set(value.name, value.number);
    numbers.set(value.jsonName, value.number);
  }
  return (text) => {
    const named = numbers.get(text);
    if (named !== undefined) {
      return named;
    }
    const number = plainIntegerPattern.test(text) ? Number(text) : Number.NaN;
    const isKnown = descEnum.open ? Math.abs(number) <= 2147483647 : descEnum.value[number] !== undefined;
    return isKnown ? number : new ScalarMismatch(`must be one of the names of ${descEnum.name}`);
  };
}

/** The converter of a field whose value, or whose element's value, is a scalar or an enum. */
export function textToFieldValue(field: DescField): TextToScalar | undefined {
  if (field.enum !== undefined) {
    return textToEnum(field.enum);
  }
  if (field.scalar === undefined) {
    return undefined;
  }
  const longAsString = field.fieldKind !== 'map' && field.longAsString === true;
  return textToScalar({ scalar: field.scalar, longAsString });
}
