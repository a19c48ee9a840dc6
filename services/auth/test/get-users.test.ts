import t from 'tap';
import { createAuthFixture, registerPerson } from './auth-fixture.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const admin = fixture.as('admin');

t.test('S2.4, ASVS V1.2.4, V1.2.9: a search is taken literally, whatever language it speaks', async (t) => {
  const person = await registerPerson(fixture);
  const search = async (text: string) =>
    (await admin.getUsers({ search: text }, fixture.by())).users.map(({ email }) => email);
  t.same(await search(person.email.slice(0, 12)), [person.email]);
  const foreign = [
    '%',
    '_',
    '\\',
    '.*',
    '(',
    '[a',
    "' or 1=1--",
    "'; select pg_sleep(5)--",
    "\\' or true--",
    '" or ""="',
    '$1',
    '#{7*7}',
    '; sleep 5',
  ];
  for (const text of foreign) t.same(await search(text), [], text);
});
