import { isOneOf, type Queryable } from '@strongroom/platform/database';
import { and, gt, like, sql as orm, type SQL } from 'drizzle-orm';
import { auditRecords } from '../audit-schema.ts';
import {
  conditionsOf,
  listRecords,
  orderOf,
  type RecordFilter,
  type RecordPage,
  type SequencedRecord,
  selectRecords,
} from './audit-store.ts';
import { readLogState } from './log-store.ts';
import { findPeriodPlaces, isInPeriod, type PeriodPlaces, type SequenceRange } from './period-bounds.ts';

/** What ListAuditEvents can ask for; unset means any. */
export interface SearchFilter extends RecordFilter {
  /** As it stands, whatever its case: % and _ are no wildcards. */
  readonly text?: string;
}

export interface FoundRecords {
  readonly records: SequencedRecord[];
  /** The last position looked at, if the search went no further; what lies beyond it is for the next page. */
  readonly reached?: number;
}

/** Positions that are read one after another first: a text that many records hold is found there. */
const nearPositions = 2_000;
/** Positions that are read on for a text which these showed to be common, or the index to be in too many records. */
const farPositions = 6_000;
/** Records near at hand that make a text a common one. */
const commonCount = 4;
/** Records that are looked at on the index's word. */
const candidatesMax = 2_000;
/** Characters of either end: each three cost a list of the index to read, as long as the log in its proportion. */
const indexedEnd = 4;
/** Of a person, a resource, a request or a trace, or most of one: few records hold it. */
const identifier = /^[\da-f-]{12,}$/i;

/**
 * One page of records. A text costs about the same in a log of any size, whether all records hold it, one or none: the
 * trigram index finds a rare one, reading on by position a common one. Of one between the two a page may stay short: it
 * ends where the search has got to.
 */
export async function findRecords(db: Queryable, filter: SearchFilter, page: RecordPage): Promise<FoundRecords> {
  const { text, ...others } = filter;
  if (text === undefined) return { records: await listRecords(db, others, page) };
  const places = await findPlaces(db, others, text);
  if (!places) return { records: [] };
  const search = { db, filter: others, places, text, page };
  const [inRange, displaced] = await Promise.all([
    searchRange(search, rangeOf(places, page)),
    places.displaced.length === 0 ? [] : readWhere(search, isOneOf(auditRecords.sequence, places.displaced)),
  ]);
  const { reached } = inRange;
  const order = orderOf(page);
  const isReached = (record: SequencedRecord) => reached === undefined || order(record, { sequence: reached }) <= 0;
  const records = [...inRange.records, ...displaced.filter(isReached)].sort(order);
  return records.length > page.limit ? { records: records.slice(0, page.limit) } : { records, reached };
}

type Position = Pick<SequencedRecord, 'sequence'>;

interface Search {
  readonly db: Queryable;
  readonly filter: RecordFilter;
  readonly places: PeriodPlaces;
  readonly text: string;
  readonly page: RecordPage;
}

async function searchRange(search: Search, range: SequenceRange | undefined): Promise<FoundRecords> {
  const { limit, descending } = search.page;
  if (!range) return { records: [] };
  const near = nearest(range, nearPositions, descending);
  const rest = beyond(range, near, descending);
  // A period leaves the index few partitions to look into.
  const isForIndex = identifier.test(search.text) && search.places.months !== undefined;
  if (rest && isForIndex) {
    const found = await findByIndex(search, range);
    if (found) return { records: await readPositions(search, found, limit) };
  }
  const records = await readRange(search, near, limit);
  if (!rest || records.length === limit) return { records };
  const found = records.length < commonCount && !isForIndex ? await findByIndex(search, rest) : undefined;
  if (found) return { records: [...records, ...(await readPositions(search, found, limit - records.length))] };
  const far = nearest(rest, farPositions, descending);
  records.push(...(await readRange(search, far, limit - records.length)));
  if (records.length === limit || !beyond(rest, far, descending)) return { records };
  return { records, reached: descending ? far.first : far.last };
}

/** Read by position, which takes as long as the range is. The index can't serve strpos, so the planner can't ask it. */
function readRange(search: Search, range: SequenceRange, limit: number): Promise<SequencedRecord[]> {
  return readWhere(search, isInPeriod(search.filter, search.places, range), limit);
}

function readWhere(
  { db, filter, text, page }: Search,
  places: SQL | undefined,
  limit = page.limit,
): Promise<SequencedRecord[]> {
  return selectRecords(db, filter, { ...page, limit }, places, holdsText(text));
}

/**
 * The positions of all records in the range that hold the text; undefined where the index is no help. No order and a limit:
 * the planner has no reason to read by position instead, and what the index gives too much of is not read to its end.
 */
async function findByIndex(
  { db, filter, places, text }: Search,
  range: SequenceRange,
): Promise<Position[] | undefined> {
  const ends = endsOf(text);
  if (!ends.some(hasTrigram)) return undefined;
  const { sequence, searchText } = auditRecords;
  const candidates = await db.orm
    .select({ sequence, position: textPosition(text) })
    .from(auditRecords)
    .where(
      and(
        ...conditionsOf(filter),
        isInPeriod(filter, places, range),
        ...ends.map((end) => like(searchText, lower(`%${end.replaceAll(/[\\%_]/g, '\\$&')}%`))),
      ),
    )
    .limit(candidatesMax + 1);
  if (candidates.length > candidatesMax) return undefined;
  return candidates.filter(({ position }) => position > 0);
}

async function readPositions(search: Search, positions: Position[], limit: number): Promise<SequencedRecord[]> {
  if (positions.length === 0) return [];
  const first = positions.toSorted(orderOf(search.page)).slice(0, limit);
  const places = isOneOf(
    auditRecords.sequence,
    first.map(({ sequence }) => String(sequence)),
  );
  return readWhere(search, places, limit);
}

function endsOf(text: string): string[] {
  const characters = Array.from(text);
  if (characters.length <= 2 * indexedEnd) return [text];
  return [characters.slice(0, indexedEnd).join(''), characters.slice(-indexedEnd).join('')];
}

/** Whether the index knows anything of it: it holds letters and digits alone, three at a time. */
function hasTrigram(text: string): boolean {
  return /[\p{L}\p{N}]{3}/u.test(text);
}

function textPosition(text: string): SQL<number> {
  return orm<number>`strpos(${auditRecords.searchText}, ${lower(text)})`;
}

function holdsText(text: string): SQL {
  return gt(textPosition(text), 0);
}

function lower(text: string): SQL {
  return orm`lower(${text})`;
}

async function findPlaces(db: Queryable, filter: RecordFilter, text: string): Promise<PeriodPlaces | undefined> {
  if (filter.from !== undefined || filter.to !== undefined)
    return findPeriodPlaces(db, filter, [...conditionsOf(filter), holdsText(text)]);
  const { size } = await readLogState(db);
  return size === 0 ? undefined : { first: 0, last: size - 1, displaced: [] };
}

/** What of it lies beyond the last position seen. */
function rangeOf({ first, last }: SequenceRange, { after, descending }: RecordPage): SequenceRange | undefined {
  if (after === undefined) return { first, last };
  return nonEmpty(
    descending ? { first, last: Math.min(last, after - 1) } : { first: Math.max(first, after + 1), last },
  );
}

/** The part of a range that comes first in the order. */
function nearest({ first, last }: SequenceRange, count: number, descending: boolean): SequenceRange {
  return descending
    ? { first: Math.max(first, last - count + 1), last }
    : { first, last: Math.min(last, first + count - 1) };
}

/** The part of a range that comes after the one read. */
function beyond(range: SequenceRange, read: SequenceRange, descending: boolean): SequenceRange | undefined {
  return nonEmpty(
    descending ? { first: range.first, last: read.first - 1 } : { first: read.last + 1, last: range.last },
  );
}

function nonEmpty(range: SequenceRange): SequenceRange | undefined {
  return range.first > range.last ? undefined : range;
}
