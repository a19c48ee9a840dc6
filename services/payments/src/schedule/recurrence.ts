import { RRuleTemporal } from 'rrule-temporal';
import { errors } from '../errors.ts';

/** A rule of RFC 5545, counted in its time zone from its first time. */
export interface Recurrence {
  readonly rule: string;
  readonly timeZone: string;
  /** RFC 3339, UTC. */
  readonly startTime: string;
}

/** One line of rule parts: no DTSTART, EXDATE or second rule may ride along. */
const rulePattern = /^[A-Z]+=[A-Z0-9+,:-]+(?:;[A-Z]+=[A-Z0-9+,:-]+)*$/;
const iterationsMax = 10_000;
const intervalsChecked = 3;

/** RFC 5545, 3.3.10. The library drops values outside of these instead of refusing the rule. */
const valueBounds: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['INTERVAL', [1, 10_000]],
  ['COUNT', [1, 1_000]], // each look at the rule counts from the start
  ['BYSECOND', [0, 59]],
  ['BYMINUTE', [0, 59]],
  ['BYHOUR', [0, 23]],
  ['BYMONTH', [1, 12]],
  ['BYMONTHDAY', [-31, 31]],
  ['BYYEARDAY', [-366, 366]],
  ['BYWEEKNO', [-53, 53]],
  ['BYSETPOS', [-366, 366]],
]);
const textParts: ReadonlyMap<string, RegExp> = new Map([
  ['FREQ', /^(?:SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)$/],
  ['UNTIL', /^\d{8}(?:T\d{6}Z?)?$/],
  ['WKST', /^(?:MO|TU|WE|TH|FR|SA|SU)$/],
  ['BYDAY', /^[+-]?\d{0,2}(?:MO|TU|WE|TH|FR|SA|SU)(?:,[+-]?\d{0,2}(?:MO|TU|WE|TH|FR|SA|SU))*$/],
]);

/** Refuses what isn't a rule, has no occurrence, or comes more often than allowed. */
export function requireRecurrence(recurrence: Recurrence, intervalMinS: number): void {
  requireTimeZone(recurrence.timeZone);
  if (!rulePattern.test(recurrence.rule) || !recurrence.rule.split(';').every(isRulePart)) throw invalid('recurrence');
  let earlier: number | undefined;
  let after: string | undefined;
  for (let index = 0; index < intervalsChecked; index += 1) {
    const next = nextOccurrence(recurrence, after);
    if (next === undefined) {
      if (index === 0) throw invalid('recurrence');
      return;
    }
    const time = Date.parse(next);
    if (earlier !== undefined && time - earlier < intervalMinS * 1_000) throw invalid('recurrence');
    earlier = time;
    after = next;
  }
}

export function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw invalid('time_zone', cause);
  }
  // Offsets such as +02:00 are none of the names of the IANA database, and know no daylight saving time.
  if (/^[+-]/.test(timeZone)) throw invalid('time_zone');
}

/** The first occurrence after a time, or the very first. Undefined when the rule has come to its end. */
export function nextOccurrence(
  { rule, timeZone, startTime }: Recurrence,
  after: string | undefined,
): string | undefined {
  try {
    const parsed = new RRuleTemporal({
      rruleString: `DTSTART:${icsTime(startTime)}\nRRULE:${rule}`,
      tzid: timeZone,
      strict: true,
      maxIterations: iterationsMax,
    });
    const next = after === undefined ? parsed.next(wholeSecond(startTime), true) : parsed.next(new Date(after));
    return next === null ? undefined : new Date(next.epochMilliseconds).toISOString();
  } catch (cause) {
    throw invalid('recurrence', cause);
  }
}

/** Fractions of a second are no part of RFC 5545. */
function wholeSecond(time: string): Date {
  return new Date(Math.floor(Date.parse(time) / 1_000) * 1_000);
}

/** YYYYMMDDTHHMMSSZ. */
function icsTime(time: string): string {
  return `${wholeSecond(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function isRulePart(part: string): boolean {
  const [name = '', value = ''] = part.split('=');
  const bounds = valueBounds.get(name);
  if (bounds === undefined) return textParts.get(name)?.test(value) ?? false;
  return value.split(',').every((each) => {
    const number = Number(each);
    return (
      /^[+-]?\d{1,6}$/.test(each) && number >= bounds[0] && number <= bounds[1] && (number !== 0 || bounds[0] === 0)
    );
  });
}

function invalid(field: string, cause?: unknown) {
  const violations = [{ field, rule: 'schedule', message: 'does not fit the type of the payment' }];
  return errors.SCHEDULE_INVALID({ violations, cause });
}
