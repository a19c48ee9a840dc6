import t from 'tap';
import { isTemplateName, renderTemplate, templates } from './templates.ts';

t.test('ASVS 1.3.7: a value is put in as it is and never read as a template', (t) => {
  const { text } = renderTemplate('verify-email', { name: '{{7*7}} {token} <%= 7*7 %>', token: 'secret-token' });
  t.match(text, 'Hello {{7*7}} {token} <%= 7*7 %>,');
  t.equal(text.split('secret-token').length, 2, 'the token stands once, where the template has its place');
  t.end();
});

t.test('B-notify: an unknown template is none, also by the name of a method of objects', (t) => {
  for (const name of ['', 'constructor', '__proto__', 'toString', 'verify_email']) t.notOk(isTemplateName(name), name);
  for (const name of Object.keys(templates)) t.ok(isTemplateName(name), name);
  t.end();
});

t.test('B-notify: a place without a value is left empty', (t) => {
  const { text } = renderTemplate('password-reset', { token: 'abc' });
  t.notMatch(text, /\{/);
  t.end();
});
