import t from 'tap';
import { dayAfter, instantOf, isKnownZone, minuteOf, wallTimeOf } from '../src/time/zone.ts';

const wallTimes: readonly (readonly [zone: string, wallTime: string, instant: string])[] = [
  ['UTC', '2026-11-29T07:14', '2026-11-29T07:14:00.000Z'],
  ['Europe/Berlin', '2026-11-29T07:14', '2026-11-29T06:14:00.000Z'],
  ['Europe/Berlin', '2026-07-01T07:14', '2026-07-01T05:14:00.000Z'],
  ['Asia/Kathmandu', '2026-01-01T00:00', '2025-12-31T18:15:00.000Z'],
  ['America/Los_Angeles', '2026-03-08T12:00', '2026-03-08T19:00:00.000Z'],
  ['Pacific/Kiritimati', '2026-11-29', '2026-11-28T10:00:00.000Z'],
  ['Pacific/Pago_Pago', '2026-11-29', '2026-11-29T11:00:00.000Z'],
];

t.test('B-console: what a form holds is an instant by the clocks of the person’s zone, and back', async (t) => {
  for (const [zone, wallTime, instant] of wallTimes) {
    t.equal(instantOf(wallTime, zone).toISOString(), instant, `${wallTime} in ${zone}`);
    t.match(`${minuteOf(new Date(instant), zone)}`, wallTime, `${instant} in ${zone}`);
  }
  t.equal(wallTimeOf(new Date('2026-11-29T23:59:59.999Z'), 'UTC'), '2026-11-29T23:59:59');
});

t.test('B-console: an hour that clocks show twice counts once, one that they leave out is moved on', async (t) => {
  t.equal(instantOf('2026-10-25T02:30', 'Europe/Berlin').toISOString(), '2026-10-25T00:30:00.000Z', 'the first one');
  t.equal(instantOf('2026-03-29T02:30', 'Europe/Berlin').toISOString(), '2026-03-29T01:30:00.000Z', 'shown as 03:30');
  t.equal(instantOf('2026-11-01T01:30', 'America/New_York').toISOString(), '2026-11-01T05:30:00.000Z');
});

t.test('B-console: a day ends where the next one begins, whatever its length', async (t) => {
  t.equal(dayAfter('2026-11-29', 'Europe/Berlin').toISOString(), '2026-11-29T23:00:00.000Z');
  t.equal(dayAfter('2026-10-25', 'Europe/Berlin').toISOString(), '2026-10-25T23:00:00.000Z', 'of 25 hours');
  t.equal(dayAfter('2026-12-31', 'UTC').toISOString(), '2027-01-01T00:00:00.000Z');
});

t.test('B-console: a zone that the browser has never heard of is no zone', async (t) => {
  t.equal(isKnownZone('Europe/Berlin'), true);
  t.equal(isKnownZone('Europe/Atlantis'), false);
});
