import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { useTimeZone } from './time-zone.tsx';

const formats = new Map<string, Intl.DateTimeFormat>();

/** In the person's time zone; on hover with its name, and in UTC as logs have it. */
export function Time({ value, none = '—' }: { value: Timestamp | undefined; none?: string }) {
  const zone = useTimeZone();
  if (value === undefined) return none;
  const date = timestampDate(value);
  const inUtc = date.toISOString();
  return (
    <time dateTime={inUtc} title={`${zone}; ${inUtc.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replace('T', ' ')} UTC`}>
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
