import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { useTimeZone } from './time-zone.tsx';
import { wallTimeOf } from './zone.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/** In the person's time zone; on hover with its name, and in UTC as logs have it. */
export function Time({ value, none = '—' }: { value: Timestamp | undefined; none?: string }) {
  const zone = useTimeZone();
  if (value === undefined) return none;
  const date = timestampDate(value);
  const inUtc = `${wallTimeOf(date, 'UTC').replace('T', ' ')} UTC`;
  return (
    <time dateTime={date.toISOString()} title={`${zone}; ${inUtc}`}>
      {formatIn(zone).format(date)}
    </time>
  );
}

/** A format is dear to make, and a table needs hundreds. */
function formatIn(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone });
  formats.set(zone, made);
  return made;
}
