import t from 'tap';
import { createAuthFixture, goodPassword, makeAdmin, reasonOf, registerPerson } from './auth-fixture.ts';
import { openRemoteService } from './remote-service.ts';

t.setTimeout(115_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by } = fixture;

const kidOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;

t.test(
  'S3.1a, F32, older fault 17: 10 rotations under load fail no request, over two instances and another service',
  async (t) => {
    const other = await fixture.another();
    const service = await openRemoteService(fixture);
    t.teardown(() => service.close());
    const admin = await makeAdmin(fixture);
    const people = await Promise.all(Array.from({ length: 4 }, () => registerPerson(fixture)));
    const outcomes = new Map<string, number>();
    const note = (outcome: string) => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    /** Which keys each of the two instances has signed with. */
    const signed = [new Set<string>(), new Set<string>()] as const;
    let lastKid = '';
    const isOver = () => lastKid !== '' && signed.every((kids) => kids.has(lastKid));
    const load = people.map(async ({ tokens }, index) => {
      let { accessToken, refreshToken } = tokens;
      const [here, there] = index % 2 === 0 ? [auth, other.auth] : [other.auth, auth];
      while (!isOver()) {
        note(await reasonOf(there.getMe({}, by({ token: accessToken }))));
        note(await service.judge(accessToken));
        ({ accessToken, refreshToken } = await here.refresh({ refreshToken }, by()));
        signed[index % 2 === 0 ? 0 : 1].add(kidOf(accessToken));
      }
      note(await service.judge(accessToken));
    });
    const kids = new Set<string>();
    for (let count = 0; count < 10; count += 1) {
      const { key } = await auth.rotateSecrets({ reason: 'test' }, by({ token: admin.tokens.accessToken }));
      kids.add(key?.kid ?? '');
    }
    lastKid = [...kids].at(-1) ?? '';
    // Goes on until both instances sign with the last key, which everyone has had time to read.
    await Promise.all(load);
    t.same([...outcomes.keys()], ['answered']);
    t.ok((outcomes.get('answered') ?? 0) > 20, `${outcomes.get('answered')} calls`);
    t.equal(kids.size, 10);
    t.ok(await auth.getMe({}, by({ token: admin.tokens.accessToken })), 'a token of the first key');
    t.equal(await service.judge(admin.tokens.accessToken), 'answered', 'everywhere');
  },
);

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

t.test('ASVS V9.2.2: a refresh token is no access token', async (t) => {
  const { tokens } = await registerPerson(fixture);
  t.equal(await reasonOf(auth.getMe({}, by({ token: tokens.refreshToken }))), 'TOKEN_INVALID');
});

t.test(
  'S3.1a: SIGN_IN_WITH_SHARED_SECRET signs with the active entry of JWT_SECRETS, and others verify it',
  async (t) => {
    const secret = 'v7Qm2LxK9rTzB4nWcY8dHfJ3sPgA6uEe';
    const JWT_SECRETS = JSON.stringify([{ kid: 'shared', secret, isActive: true }]);
    const signer = await fixture.another({ JWT_SECRETS, SIGN_IN_WITH_SHARED_SECRET: 'true' });
    const reader = await fixture.another({ JWT_SECRETS });
    const person = await registerPerson(fixture);
    const { tokens } = await signer.auth.login({ email: person.email, password: goodPassword }, by());
    t.equal(kidOf(tokens?.accessToken ?? ''), 'shared');
    t.ok(await reader.auth.getMe({}, by({ token: tokens?.accessToken })));
    const stranger = auth.getMe({}, by({ token: tokens?.accessToken }));
    t.equal(await reasonOf(stranger), 'TOKEN_INVALID', 'only where the secret is configured');
    t.notOk(JSON.stringify(reader.app.deps.signingKeys.jwks()).includes('shared'), 'it is not published');
  },
);
