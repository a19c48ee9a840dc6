import t from 'tap';
import { createAuthFixture, goodPassword, makeAdmin, reasonOf, registerPerson } from './auth-fixture.ts';

t.setTimeout(115_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by } = fixture;

t.test('S3.1a, F32: 10 rotations under load fail no request, over two instances', { timeout: 100_000 }, async (t) => {
  const other = await fixture.another();
  const admin = await makeAdmin(fixture);
  const people = await Promise.all(Array.from({ length: 4 }, () => registerPerson(fixture)));
  const failures: string[] = [];
  let isOver = false;
  let calls = 0;
  const load = people.map(async ({ tokens }, index) => {
    let { accessToken, refreshToken } = tokens;
    while (!isOver) {
      const [here, there] = index % 2 === 0 ? [auth, other.auth] : [other.auth, auth];
      const seen = await reasonOf(there.getMe({}, by({ token: accessToken })));
      if (seen !== 'answered') failures.push(seen);
      ({ accessToken, refreshToken } = await here.refresh({ refreshToken }, by()));
      calls += 2;
    }
  });
  const kids = new Set<string>();
  for (let count = 0; count < 10; count += 1) {
    const { key } = await auth.rotateSecrets({ reason: 'test' }, by({ token: admin.tokens.accessToken }));
    kids.add(key?.kid ?? '');
  }
  isOver = true;
  await Promise.all(load);
  t.same(failures, []);
  t.ok(calls > 20, `${calls} calls`);
  t.equal(kids.size, 10);
  t.ok(await auth.getMe({}, by({ token: admin.tokens.accessToken })), 'a token of the first key');
});

t.test('S3.1b: status and history show no secret, and only to administrators', async (t) => {
  const admin = by({ token: (await makeAdmin(fixture)).tokens.accessToken });
  const person = await registerPerson(fixture);
  t.equal(await reasonOf(auth.getSecretsStatus({}, by({ token: person.tokens.accessToken }))), 'FORBIDDEN');
  const { keys } = await auth.getSecretsStatus({}, admin);
  t.equal(keys.filter(({ active }) => active).length, 1);
  const first = await auth.listRotations({ pageSize: 3 }, admin);
  t.equal(first.rotations.length, 3);
  const second = await auth.listRotations({ pageSize: 3, pageToken: first.nextPageToken }, admin);
  t.notOk(second.rotations.some(({ id }) => first.rotations.some((known) => known.id === id)));
  t.equal((await auth.checkExpiring({ withinDays: 365 }, admin)).keys.length, 1);
  const print = (value: unknown) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part));
  t.notMatch(print([keys, first]) + fixture.logs.join(''), /PRIVATE KEY|"d":/);
  t.ok((await fixture.events('SECRET_ACCESSED')).length > 0);
});

t.test('S3.1a: the key set holds public parts alone', async (t) => {
  const { keys } = fixture.app.deps.signingKeys.jwks() as { keys: Record<string, string>[] };
  for (const key of keys) t.same(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

t.test('ASVS V9.1.2, V9.2.2: other tokens and algorithms are refused as access tokens', async (t) => {
  const { createSigner } = await import('fast-jwt');
  const person = await registerPerson(fixture);
  const { tokens } = await auth.login({ email: person.email, password: goodPassword }, by());
  const [head = '', body = '', mac = ''] = (tokens?.accessToken ?? '').split('.');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, string>;
  const recode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const confused = createSigner({ key: 'x'.repeat(32), algorithm: 'HS256', header: { ...header, alg: 'HS256' } });
  const forged = [
    `${recode({ ...header, alg: 'none' })}.${body}.`,
    `${recode({ ...header, jku: 'https://example.com/keys' })}.${body}.${mac}`,
    `${recode({ ...header, kid: '../../etc/passwd' })}.${body}.${mac}`,
    confused(claims),
    tokens?.refreshToken ?? '',
  ];
  for (const token of forged) t.match(await reasonOf(auth.getMe({}, by({ token }))), /TOKEN_INVALID|UNAUTHENTICATED/);
});
