import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** In the zone of the person's browser; in UTC, as logs have it, on hover. */
export function Time({ value, none = '—' }: { value: Timestamp | undefined; none?: string }) {
  if (value === undefined) return none;
  const date = timestampDate(value);
  const utc = date.toISOString();
  return (
    <time dateTime={utc} title={`${utc.slice(0, 19).replace('T', ' ')} UTC`}>
      {format.format(date)}
    </time>
  );
}
