import type { Queryable } from '@strongroom/platform/database';
import { and, between, gte, lt, type SQL } from 'drizzle-orm';
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
}

/** More of them widen the range instead: a whole day of events that came late, say. */
const displacedMax = 100;

/**
 * Undefined while the log is empty. The log is ordered by when it took records in, and takes them in within minutes, so a
 * period is a range of it but for the displaced records, which have an index of their own. A range that is read by sequence
 * has few rows that aren't of the period, whatever the log's size.
 */
export async function findPeriodPlaces({ sql }: Queryable, { from, to }: Period): Promise<PeriodPlaces | undefined> {
  const [start, end] = [from ?? '-infinity', to ?? 'infinity'];
  const [row] = await sql`
    with edge as (
      (select sequence from audit_record where record_time >= ${start}::timestamptz - interval '5 minutes'
       order by record_time, sequence limit 1)
      union all
      (select sequence from audit_record where record_time <= ${end}::timestamptz + interval '5 minutes'
       order by record_time desc, sequence desc limit 1)
    ), span as (
      select min(sequence) as first, max(sequence) as last from edge
    ), displaced as (
      select sequence from audit_record, span where occur_time >= ${start}::timestamptz and occur_time < ${end}::timestamptz
        and record_time - occur_time not between interval '-5 minutes' and interval '5 minutes'
        and sequence not between first and last
    )
    select first::text, last::text, count(sequence)::int as count, least(first, min(sequence))::text as widened_first,
      greatest(last, max(sequence))::text as widened_last, (array_agg(sequence))[1:${displacedMax}]::text[] as displaced
    from span left join displaced on true group by first, last`;
  if (!row || row['first'] === null) return undefined;
  return Number(row['count']) > displacedMax
    ? { first: Number(row['widened_first']), last: Number(row['widened_last']), displaced: [] }
    : {
        first: Number(row['first']),
        last: Number(row['last']),
        displaced: Number(row['count']) === 0 ? [] : row['displaced'],
      };
}

export function isInPeriod({ from, to }: Period, { first, last }: SequenceRange): SQL | undefined {
  const { sequence, occurTime } = auditRecords;
  return and(
    between(sequence, first, last),
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
