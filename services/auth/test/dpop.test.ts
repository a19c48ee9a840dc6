import { createProofKey, type ProofKey, type ProofParts, until } from '@strongroom/testkit';
import t from 'tap';
import { createAuthFixture, goodPassword, makeAdmin, reasonOf, registerPerson } from './auth-fixture.ts';
import { registerPasskey } from './passkey-owner.ts';

t.setTimeout(110_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());
const { auth, by } = fixture;

const key = await createProofKey();
const stranger = await createProofKey('EdDSA');
const edge = 'http://localhost:3000';
const paths = {
  login: '/api/v1/auth/login',
  refresh: '/api/v1/auth/refresh',
  verify: '/api/v1/auth/mfa/verify',
  passkey: '/api/v1/auth/passkey/finish',
};

/** A caller with a proof for a path of the edge. */
function proving(path: keyof typeof paths, options: Partial<ProofParts> & { of?: ProofKey } = {}) {
  const { of = key, ...parts } = options;
  return by({ headers: { dpop: of.proof({ url: `${edge}${paths[path]}`, ...parts }) } });
}
const boundKeyOf = (accessToken = '') =>
  (JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { cnf?: { jkt: string } }).cnf
    ?.jkt;

/** A caller whose proof the edge has checked. */
const byKey = (token: string) => by({ token, provenKey: key.thumbprint });

async function boundSignIn(email: string) {
  const { tokens } = await auth.login({ email, password: goodPassword }, proving('login'));
  if (tokens === undefined) throw new Error('not signed in');
  return tokens;
}

t.test('B-dpop: a sign-in with a proof binds its tokens, and those of every refresh', async (t) => {
  const person = await registerPerson(fixture);
  t.equal(boundKeyOf(person.tokens.accessToken), undefined, 'bound only when asked');
  const tokens = await boundSignIn(person.email);
  t.equal(boundKeyOf(tokens.accessToken), key.thumbprint);
  const next = await auth.refresh({ refreshToken: tokens.refreshToken }, proving('refresh'));
  t.equal(boundKeyOf(next.accessToken), key.thumbprint);
  const connect = `${edge}/strongroom.auth.v1.AuthService/Refresh`;
  const third = await auth.refresh({ refreshToken: next.refreshToken }, proving('refresh', { url: connect }));
  t.equal(boundKeyOf(third.accessToken), key.thumbprint, 'the Connect path names the same method');
  const { accessToken } = await auth.stepUp({ password: goodPassword }, byKey(third.accessToken));
  t.equal(boundKeyOf(accessToken), key.thumbprint, 'a step-up does not loosen it');
});

t.test('B-dpop: an administrator’s tokens are bound when asked', async (t) => {
  const admin = await makeAdmin(fixture);
  t.equal(boundKeyOf((await boundSignIn(admin.email)).accessToken), key.thumbprint);
});

t.test('B-dpop: a bound refresh token without the right proof is refused, and its session lives', async (t) => {
  const person = await registerPerson(fixture);
  const { refreshToken, accessToken } = await boundSignIn(person.email);
  const nowS = Math.floor(Date.now() / 1000);
  const refusals: Record<string, ReturnType<typeof by>> = {
    'no proof': by(),
    'an empty one': by({ headers: { dpop: '' } }),
    'no proof at all': by({ headers: { dpop: 'a.b.c' } }),
    'another key': proving('refresh', { of: stranger }),
    'another method': proving('refresh', { method: 'GET' }),
    'another path': proving('login'),
    'another origin': proving('refresh', { url: `https://evil.example${paths.refresh}` }),
    'an old one': proving('refresh', { claims: { iat: nowS - 120 } }),
    'one of tomorrow': proving('refresh', { claims: { iat: nowS + 120 } }),
    'no id': proving('refresh', { claims: { jti: undefined } }),
    'a long id': proving('refresh', { claims: { jti: 'x'.repeat(300) } }),
    'another type': proving('refresh', { header: { typ: 'at+jwt' } }),
    'no algorithm': proving('refresh', { header: { alg: 'none' } }),
    'a symmetric one': proving('refresh', { header: { alg: 'HS256' } }),
    'its private key inside': proving('refresh', { header: { jwk: key.privateJwk } }),
  };
  for (const [name, caller] of Object.entries(refusals)) {
    t.equal(await reasonOf(auth.refresh({ refreshToken }, caller)), 'DPOP_PROOF_INVALID', name);
  }
  t.ok(await auth.getMe({}, byKey(accessToken)), 'a thief without the key ends nobody’s session');
  const next = await auth.refresh({ refreshToken }, proving('refresh'));
  t.equal(boundKeyOf(next.accessToken), key.thumbprint, 'the owner goes on');
});

t.test('B-dpop, S7.3: a bound token without its proof is refused on record, whose it is and from where', async (t) => {
  const person = await registerPerson(fixture);
  const { accessToken } = await boundSignIn(person.email);
  const from = { ip: '198.51.100.99', agent: 'thief/1', device: 'device-of-a-thief' };
  for (const provenKey of [undefined, stranger.thumbprint]) {
    const caller = by({ token: accessToken, ...from, ...(provenKey === undefined ? {} : { provenKey }) });
    t.equal(await reasonOf(auth.getMe({}, caller)), 'DPOP_PROOF_INVALID');
  }
  const isOfPerson = ({ subjectId }: { subjectId: string }) => subjectId === person.id;
  const refusals = async () => (await fixture.events('AUTHORIZATION_DENIED')).filter(isOfPerson);
  await until(async () => (await refusals()).length > 0);
  const found = await refusals();
  t.equal(found.length, 1, 'those alike are counted, so that a flood does not fill the log');
  t.match(found[0], {
    actorKind: 'anonymous',
    ipAddress: from.ip,
    userAgent: from.agent,
    deviceId: from.device,
    traceId: /^[0-9a-f]{32}$/,
    details: { reason: 'DPOP_PROOF_INVALID', method: 'strongroom.auth.v1.AuthService/GetMe' },
  });
});

t.test('B-dpop: a proof counts once, over all instances, also in parallel', async (t) => {
  const person = await registerPerson(fixture);
  const other = await fixture.another();
  const proof = proving('login');
  const credentials = { email: person.email, password: goodPassword };
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => reasonOf((index % 2 === 0 ? auth : other.auth).login(credentials, proof))),
  );
  t.equal(answers.filter((reason) => reason === 'answered').length, 1);
  t.equal(answers.filter((reason) => reason === 'DPOP_PROOF_INVALID').length, 9);
});

t.test('B-dpop: a wrong proof at sign-in is refused rather than forgotten', async (t) => {
  const { email } = await registerPerson(fixture);
  const wrong = auth.login({ email, password: goodPassword }, proving('login', { method: 'PUT' }));
  t.equal(await reasonOf(wrong), 'DPOP_PROOF_INVALID');
});

t.test('B-dpop: a challenge belongs to the key of the sign-in that opened it', async (t) => {
  const owner = await registerPasskey(fixture);
  const credentials = { email: owner.email, password: goodPassword };
  const { mfaChallenge } = await auth.login(credentials, proving('login'));
  const challengeId = mfaChallenge?.id ?? '';
  const answer = () => ({
    case: 'passkeyResponseJson' as const,
    value: owner.authenticator.answer(mfaChallenge?.passkeyOptionsJson ?? ''),
  });
  for (const caller of [by(), proving('verify', { of: stranger })]) {
    t.equal(await reasonOf(auth.verifyMfa({ challengeId, answer: answer() }, caller)), 'DPOP_PROOF_INVALID');
  }
  const { tokens } = await auth.verifyMfa({ challengeId, answer: answer() }, proving('verify'));
  t.equal(boundKeyOf(tokens?.accessToken), key.thumbprint);
});

t.test('B-dpop: a sign-in by passkey can be bound too', async (t) => {
  const owner = await registerPasskey(fixture);
  const { challengeId, optionsJson } = await auth.startPasskeyLogin({}, by());
  const responseJson = owner.authenticator.answer(optionsJson);
  const { tokens } = await auth.finishPasskeyLogin({ challengeId, responseJson }, proving('passkey'));
  t.equal(boundKeyOf(tokens?.accessToken), key.thumbprint);
});
