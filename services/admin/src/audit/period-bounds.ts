import type { Queryable } from '@strongroom/platform/database';
import { and, between, gte, lt, sql as orm, type SQL } from 'drizzle-orm';
import { auditRecords } from '../audit-schema.ts';

/** RFC 3339; occurred at or after, and before. Either end may be open. */
export interface Period {
  readonly from?: string;
  readonly to?: string;
}

/** Positions, both included. */
export interface SequenceRange {
  readonly first: number;
  readonly last: number;
}

/** Where what occurred in a period can stand: in a range, or displaced at one of these positions outside of it. */
export interface PeriodPlaces extends SequenceRange {
  readonly displaced: readonly string[];
  /** The months in which the range was recorded, if known: others' partitions needn't be planned for. */
  readonly months?: Required<Period>;
}

/** More of them widen the range instead: a whole day of events that came late, say. */
const displacedMax = 100;

interface PlacesRow extends Record<string, unknown> {
  first: string | null;
  last: string;
  month: string;
  month_after: string;
  displaced_count: number;
  widened_first: string;
  widened_last: string;
  displaced: string[];
}

/**
 * Undefined while the log is empty. The log is ordered by when it took records in, and takes them in within minutes, so a
 * period is a range of it but for the displaced records, which have an index of their own. A range that is read by sequence
 * has few rows that aren't of the period, whatever the log's size. Displaced are those alone that meet the conditions.
 */
export async function findPeriodPlaces(
  db: Queryable,
  { from, to }: Period,
  conditions: readonly (SQL | undefined)[],
): Promise<PeriodPlaces | undefined> {
  const [start, end] = [from ?? '-infinity', to ?? 'infinity'];
  const isDisplaced = orm`occur_time >= ${start}::timestamptz and occur_time < ${end}::timestamptz
    and record_time - occur_time not between interval '-5 minutes' and interval '5 minutes'
    and sequence not between first and last`;
  const [row] = await db.orm.execute<PlacesRow>(orm`
    with edge as (
      (select sequence, record_time from audit_record where record_time >= ${start}::timestamptz - interval '5 minutes'
       order by record_time, sequence limit 1)
      union all
      (select sequence, record_time from audit_record where record_time <= ${end}::timestamptz + interval '5 minutes'
       order by record_time desc, sequence desc limit 1)
    ), span as (
      select min(sequence) as first, max(sequence) as last, date_trunc('month', min(record_time), 'UTC') as month,
        date_trunc('month', max(record_time), 'UTC') + interval '1 month' as month_after
      from edge
    ), displaced as (
      select sequence from audit_record, span where ${and(isDisplaced, ...conditions)}
    )
    select first::text, last::text, month::text, month_after::text, count(sequence)::int as displaced_count,
      least(first, min(sequence))::text as widened_first, greatest(last, max(sequence))::text as widened_last,
      coalesce((array_agg(sequence) filter (where sequence is not null))[1:${displacedMax}], '{}')::text[] as displaced
    from span left join displaced on true group by first, last, month, month_after`);
  if (!row || row.first === null) return undefined;
  if (row.displaced_count > displacedMax)
    return { first: Number(row.widened_first), last: Number(row.widened_last), displaced: [] };
  return {
    first: Number(row.first),
    last: Number(row.last),
    displaced: row.displaced,
    months: { from: row.month, to: row.month_after },
  };
}

/**
 * Of all of the places' range, or of a part of it. Whole months leave the choice of an index as it is, and nothing out: the
 * times of records never go back along the log (F14).
 */
export function isInPeriod(
  { from, to }: Period,
  places: PeriodPlaces,
  { first, last }: SequenceRange = places,
): SQL | undefined {
  const { months } = places;
  const { sequence, occurTime, recordTime } = auditRecords;
  return and(
    between(sequence, first, last),
    months && and(gte(recordTime, months.from), lt(recordTime, months.to)),
    from === undefined ? undefined : gte(occurTime, from),
    to === undefined ? undefined : lt(occurTime, to),
  );
}

/**
 * The positions that a statement about a period rests on: what was recorded within it and five minutes of it, what is known
 * to have come otherwise, and on either side the nearest record beyond, so that nothing can be missing at an edge unseen.
 * `log` is what was signed: below the minimum index, what is gone before the period's first record is past its retention.
 */
export async function findEvidenceRange(
  { sql }: Queryable,
  { from, to }: Required<Period>,
  log: { readonly size: number; readonly minimumIndex: number },
): Promise<SequenceRange> {
  const [row] = await sql`
    with near as (
      select
        (select sequence from audit_record where record_time < ${from}::timestamptz - interval '5 minutes'
         order by record_time desc, sequence desc limit 1) as before,
        (select sequence from audit_record where record_time >= ${from}::timestamptz - interval '5 minutes'
         order by record_time, sequence limit 1) as first,
        (select sequence from audit_record where record_time > ${to}::timestamptz + interval '5 minutes'
         order by record_time, sequence limit 1) as after
    ), displaced as (
      select min(sequence) as first, max(sequence) as last from audit_record
      where occur_time >= ${from}::timestamptz and occur_time < ${to}::timestamptz
        and record_time - occur_time not between interval '-5 minutes' and interval '5 minutes'
    )
    select coalesce(before, 0)::text as before, near.first::text as first, after::text as after,
      displaced.first::text as displaced_first, displaced.last::text as displaced_last
    from near, displaced`;
  const at = (column: string, otherwise: number) => Number(row?.[column] ?? otherwise);
  const edge = Math.max(at('before', 0), Math.min(log.minimumIndex, at('first', log.size - 1)));
  const end = at('after', log.size - 1);
  return {
    first: Math.min(edge, at('displaced_first', edge)),
    last: Math.max(end, at('displaced_last', end)),
  };
}
