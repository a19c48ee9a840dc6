// Between instants and what the clocks of a time zone show, by the browser's own copy of the IANA database.

const millisecondsPerSecond = 1000;
const dayMs = 86_400_000;

/** The zone that the browser is set to. */
export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Whether this browser knows the zone; the server's copy of the database may be newer. */
export function isKnownZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false; // RangeError: no such zone.
  }
}

/** What the clocks of a zone show, as YYYY-MM-DDTHH:MM:SS. */
export function wallTimeOf(date: Date, zone: string): string {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const {
    year = '',
    month,
    day,
    hour,
    minute,
    second,
  } = Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
  return `${year.padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}`;
}

/** As a datetime-local field spells it: to the minute. */
export function minuteOf(date: Date, zone: string): string {
  return wallTimeOf(date, zone).slice(0, 'YYYY-MM-DDTHH:MM'.length);
}

/**
 * The instant at which the clocks of a zone show what a date or datetime-local field holds; of a date, its first minute.
 * What they show twice is taken the first time, and what they leave out by the offset before it, as RFC 5545 has it.
 */
export function instantOf(wallTime: string, zone: string): Date {
  const asUtcMs = Date.parse(wallTime.includes('T') ? `${wallTime}Z` : wallTime);
  // The offset before any change of that day; where it leads to another wall time, the change was before it.
  const before = asUtcMs - offsetMs(asUtcMs - dayMs, zone);
  if (before + offsetMs(before, zone) === asUtcMs) return new Date(before);
  const after = asUtcMs - offsetMs(before, zone);
  return new Date(after + offsetMs(after, zone) === asUtcMs ? after : before);
}

/** The instant at which the day after begins, as periods of the API leave their end out. */
export function dayAfter(day: string, zone: string): Date {
  const next = new Date(Date.parse(day) + dayMs).toISOString().slice(0, 'YYYY-MM-DD'.length);
  return instantOf(next, zone);
}

/** How far the clocks of a zone are ahead of UTC. */
function offsetMs(epochMs: number, zone: string): number {
  const wholeSecondsMs = Math.floor(epochMs / millisecondsPerSecond) * millisecondsPerSecond;
  return Date.parse(`${wallTimeOf(new Date(wholeSecondsMs), zone)}Z`) - wholeSecondsMs;
}
