import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';

// With `TimeZone=UTC` and `DateStyle=ISO`, which every connection of ours has, PostgreSQL prints
// `2026-11-24 20:05:00.123456+00`; the T and Z of RFC 3339 are taken too.
const format = /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|\+00(?::?00)?)?$/;
const nanosDigits = 9;

/** A timestamp as PostgreSQL prints it → protobuf, to the microsecond. */
export function timestampToProto(text: string): Timestamp {
  const match = format.exec(text);
  if (match === null) throw new RangeError('Not a timestamp in UTC.');
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return create(TimestampSchema, {
    seconds: BigInt(ms / 1000),
    nanos: Number(fraction.padEnd(nanosDigits, '0')),
  });
}

export function optionalTimestampToProto(text: string | null | undefined): Timestamp | undefined {
  return text === null || text === undefined ? undefined : timestampToProto(text);
}

/** Protobuf → text that a timestamptz parameter takes. Nanoseconds below a microsecond are cut off, as in PostgreSQL. */
export function protoToTimestamp(timestamp: Pick<Timestamp, 'seconds' | 'nanos'>): string {
  const whole = new Date(Number(timestamp.seconds) * 1000).toISOString().slice(0, 19);
  const micros = Math.floor(timestamp.nanos / 1000)
    .toString()
    .padStart(6, '0');
  return `${whole}.${micros}Z`;
}

export function timestampToDate(text: string): Date {
  const { seconds, nanos } = timestampToProto(text);
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}
