import t from 'tap';
import { isLanguageTag, isTimeZone, mergePreferences, violationsOf } from './preferences.ts';

t.test('older fault 50: the merge is deep, so one channel leaves the others', (t) => {
  const stored = { theme: 'dark', notifications: { email: true, push: true, sms: false } };
  t.same(mergePreferences(stored, { notifications: { email: false } }), {
    theme: 'dark',
    notifications: { email: false, push: true, sms: false },
  });
  t.same(mergePreferences(stored, { theme: 'light' }), { ...stored, theme: 'light' });
  t.same(mergePreferences({}, { notifications: { sms: true } }), { notifications: { sms: true } });
  t.end();
});

t.test('older fault 50: time zones are those of the IANA database', (t) => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Port-au-Prince', 'Etc/GMT+5', 'America/Argentina/La_Rioja']) {
    t.ok(isTimeZone(zone), zone);
  }
  for (const zone of ['', 'Mars/Olympus', '+01:00', 'Europe', 'Europe/Berlin ', '../etc/passwd']) {
    t.notOk(isTimeZone(zone), zone);
  }
  t.end();
});

t.test('S2.4: languages are BCP 47 tags that name a language', (t) => {
  for (const tag of ['en', 'de-AT', 'zh-Hant-TW', 'pt-BR', 'sr-Latn']) t.ok(isLanguageTag(tag), tag);
  for (const tag of ['', 'e', 'english please', 'en_US!', 'xx-', '12']) t.notOk(isLanguageTag(tag), tag);
  t.end();
});

t.test('S2.4: a violation names the field', (t) => {
  const fields = violationsOf({ language: '??', currency: 'ABC', timeZone: 'Nowhere' }).map(({ field }) => field);
  t.same(fields, ['preferences.language', 'preferences.currency', 'preferences.time_zone']);
  t.same(violationsOf({ language: 'fr', currency: 'JPY', timeZone: 'Asia/Tokyo' }), []);
  t.end();
});
