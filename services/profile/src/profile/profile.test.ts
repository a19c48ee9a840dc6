import t from 'tap';
import { fieldsOfMask, isPastDate, isSafePictureUrl, maskTail, violationsOf } from './profile.ts';

const now = new Date('2026-11-24T12:00:00Z');

t.test('older fault 49: a picture has an https address and no other', (t) => {
  t.ok(isSafePictureUrl('https://example.com/me.png'));
  for (const url of [
    'javascript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'data:image/svg+xml;base64,AAAA',
    'http://example.com/me.png',
    'file:///etc/passwd',
    'https://user:secret@example.com/me.png',
    '//example.com/me.png',
    'https://',
  ]) {
    t.notOk(isSafePictureUrl(url), url);
  }
  t.end();
});

t.test('S2.4: a date of birth is real and past', (t) => {
  for (const date of ['1990-02-28', '2000-02-29', '2026-11-23']) t.ok(isPastDate(date, now), date);
  for (const date of ['2001-02-29', '1990-13-01', '1990-00-10', '2026-11-25', '1899-12-31', '1990-2-3', 'yesterday']) {
    t.notOk(isPastDate(date, now), date);
  }
  t.end();
});

t.test('S2.4: phone numbers are possible in their country', (t) => {
  t.same(violationsOf({ phone: '+14155552671' }, now), []);
  t.same(violationsOf({ phone: '' }, now), [], 'empty clears it');
  for (const phone of ['+1415', '+999123456789', '4155552671']) t.equal(violationsOf({ phone }, now).length, 1, phone);
  t.end();
});

t.test('ASVS 8.2.3: a mask names the fields that a person may change, and no other', (t) => {
  t.same(fieldsOfMask(['phone', 'avatar_url']).fields, ['phone', 'avatarUrl']);
  for (const path of ['user_id', 'etag', 'create_time', '__proto__', 'phone.x', '*']) {
    t.equal(fieldsOfMask([path]).violations.length, 1, path);
  }
  t.end();
});

t.test('ASVS 14.2.6: of a number only the end is shown', (t) => {
  t.equal(maskTail('123-45-6789'), '*******6789');
  t.equal(maskTail('1234'), '****');
  t.equal(maskTail(''), '');
  t.end();
});
