import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';

const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function Time({ value, none = '—' }: { value: Timestamp | undefined; none?: string }) {
  if (value === undefined) return none;
  const date = timestampDate(value);
  return <time dateTime={date.toISOString()}>{format.format(date)}</time>;
}
