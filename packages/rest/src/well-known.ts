import type { DescMessage, Message } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { protoSnakeCase } from '@bufbuild/protobuf/reflect';
import type { Duration, FieldMask, Timestamp } from '@bufbuild/protobuf/wkt';
import { DurationSchema, FieldMaskSchema, isWrapperDesc, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { ScalarMismatch, textToScalar } from './scalar.ts';

/** Turns the text of a well-known type's JSON string into its message, or a ScalarMismatch. */
export type TextToWellKnown = (text: string) => Message | ScalarMismatch;

/** The converter of the types whose JSON is one string or one scalar; undefined for every other message. */
export function textToWellKnown(desc: DescMessage): TextToWellKnown | undefined {
  switch (desc.typeName) {
    case TimestampSchema.typeName:
      return textToTimestamp;
    case DurationSchema.typeName:
      return textToDuration;
    case FieldMaskSchema.typeName:
      return textToFieldMask;
    default:
      return isWrapperDesc(desc) ? textToWrapper(desc) : undefined;
  }
}

function textToWrapper(desc: DescMessage): TextToWellKnown {
  const field = desc.fields[0];
  if (field?.fieldKind !== 'scalar') {
    throw new TypeError(`${desc.typeName} is no wrapper`);
  }
  const convert = textToScalar(field);
  return (text) => {
    const value = convert(text);
    if (value instanceof ScalarMismatch) {
      return value;
    }
    const message = create(desc);
    (message as unknown as Record<string, unknown>)[field.localName] = value;
    return message;
  };
}

const timestampPattern =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;
const timestampMismatch = new ScalarMismatch(
  'must be an RFC 3339 time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z',
);
const timestampSecondsMin = -62135596800;
const timestampSecondsMax = 253402300799;

/** RFC 3339 with a real date: `Date.parse` would take the 30th of February for the 1st of March. */
export function textToTimestamp(text: string): Timestamp | ScalarMismatch {
  const match = timestampPattern.exec(text);
  if (match === null) {
    return timestampMismatch;
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59 || day < 1 || day > daysInMonth(year, month)) {
    return timestampMismatch;
  }
  const offsetHours = Number(match[9] ?? 0);
  const offsetMinutes = Number(match[10] ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) {
    return timestampMismatch;
  }
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(hour, minute, second);
  const offset = (offsetHours * 60 + offsetMinutes) * 60 * (match[8] === '-' ? -1 : 1);
  const seconds = utc.getTime() / 1000 - offset;
  if (seconds < timestampSecondsMin || seconds > timestampSecondsMax) {
    return timestampMismatch;
  }
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: Number((match[7] ?? '').padEnd(9, '0')) });
}

function daysInMonth(year: number, month: number): number {
  if (month < 1 || month > 12) {
    return 0;
  }
  if (month === 2) {
    return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const durationPattern = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;
const durationSecondsMax = 315576000000;
const durationMismatch = new ScalarMismatch('must be a number of seconds with an "s", as in "1.5s"');

export function textToDuration(text: string): Duration | ScalarMismatch {
  const match = durationPattern.exec(text);
  const seconds = Number(match?.[2]);
  if (match === null || seconds > durationSecondsMax) {
    return durationMismatch;
  }
  const sign = match[1] === '-' ? -1 : 1;
  const nanos = Number((match[3] ?? '').padEnd(9, '0'));
  return create(DurationSchema, {
    seconds: BigInt(seconds * sign),
    // Never -0: it would compare unequal to 0 further on.
    nanos: nanos === 0 ? 0 : nanos * sign,
  });
}

const fieldMaskPattern = /^[a-z][A-Za-z0-9]*(?:\.[a-z][A-Za-z0-9]*)*(?:,[a-z][A-Za-z0-9]*(?:\.[a-z][A-Za-z0-9]*)*)*$/;
/** More paths than any message has fields. */
const fieldMaskPathsMax = 256;
const fieldMaskMismatch = new ScalarMismatch('must be field paths in lowerCamelCase with commas between');

export function textToFieldMask(text: string): FieldMask | ScalarMismatch {
  if (text === '') {
    return create(FieldMaskSchema);
  }
  const paths = fieldMaskPattern.test(text) ? text.split(',') : [];
  if (paths.length === 0 || paths.length > fieldMaskPathsMax) {
    return fieldMaskMismatch;
  }
  return create(FieldMaskSchema, { paths: paths.map(protoSnakeCase) });
}
