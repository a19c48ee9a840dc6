import { createPrivateEngine, createProofKey, type ProofKey, type ProofParts } from '@strongroom/testkit';
import t from 'tap';
import { closeTestRedis, handler, paymentId, startGateway, startMesh } from './fixture.ts';

const seen: (string | null)[] = [];
const mesh = await startMesh({
  auth: {
    login: handler((_request, call) => {
      seen.push(call.requestHeader.get('dpop'));
      return {};
    }),
  },
  payments: { getPayment: handler((request) => ({ payment: { id: request.id } })) },
});
const origin = 'https://pay.example';
const variables = { DPOP_ORIGINS: origin };
const gateway = await startGateway(mesh, { variables });
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
});

const path = `/api/v1/payments/${paymentId}`;
const elliptic = await createProofKey();
const edwards = await createProofKey('EdDSA');

function proofFor(token: string, { key = elliptic, ...parts }: Partial<ProofParts> & { key?: ProofKey } = {}): string {
  return key.proof({ method: 'GET', url: `${origin}${path}`, token, ...parts });
}

const boundTo = (key: ProofKey) => mesh.tokens.token({ claims: { cnf: { jkt: key.thumbprint } } });

async function send(
  token: string,
  proof: string | undefined,
  scheme = 'DPoP',
  url = gateway.url,
): Promise<[number, string, string | null]> {
  const answer = await fetch(`${url}${path}`, {
    headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) },
  });
  const body = (await answer.json()) as { code?: string };
  return [answer.status, body.code ?? '', answer.headers.get('www-authenticate')];
}

t.test('B-dpop: a bound token is taken with its proof, by either kind of key', async (t) => {
  for (const key of [elliptic, edwards]) {
    const token = boundTo(key);
    t.same(await send(token, proofFor(token, { key })), [200, '', null]);
    t.same(await send(token, proofFor(token, { key }), 'Bearer'), [200, '', null]);
  }
});

t.test('B-dpop: a bound token without its proof is refused', async (t) => {
  const token = boundTo(elliptic);
  const refusals: [name: string, proof: string | undefined][] = [
    ['none', undefined],
    ['garbage', 'a.b.c'],
    ['another key', proofFor(token, { key: await createProofKey() })],
    ['another token', proofFor(`${token}x`)],
    ['another method', proofFor(token, { claims: { htm: 'POST' } })],
    ['another path', proofFor(token, { claims: { htu: `${origin}/api/v1/payments` } })],
    ['another host', proofFor(token, { claims: { htu: `https://evil.example${path}` } })],
    ['no address', proofFor(token, { claims: { htu: 'x' } })],
    ['an old one', proofFor(token, { claims: { iat: Math.floor(Date.now() / 1000) - 120 } })],
    ['one from the future', proofFor(token, { claims: { iat: Math.floor(Date.now() / 1000) + 60 } })],
    ['no time', proofFor(token, { claims: { iat: 'now' } })],
    ['no id', proofFor(token, { claims: { jti: undefined } })],
    ['another type', proofFor(token, { header: { typ: 'JWT' } })],
    ['no algorithm', proofFor(token, { header: { alg: 'none' } })],
    ['a symmetric algorithm', proofFor(token, { header: { alg: 'HS256' } })],
    ['a private key inside', proofFor(token, { header: { jwk: elliptic.privateJwk } })],
    ['a changed signature', proofFor(token).replace(/.{4}$/, 'AAAA')],
    ['a critical extension', proofFor(token, { header: { crit: ['x'], x: 1 } })],
    [
      'a point that is not on the curve',
      proofFor(token, { header: { jwk: { ...elliptic.privateJwk, d: undefined, y: 'AA' } } }),
    ],
    ['an EdDSA key under ES256', proofFor(token, { header: { jwk: { ...edwards.privateJwk, d: undefined } } })],
    ['no hash of the token', proofFor(token, { claims: { ath: undefined } })],
    ['two proofs', `${proofFor(token)}, ${proofFor(token)}`],
    ['a long one', proofFor(token, { claims: { x: 'x'.repeat(5000) } })],
  ];
  for (const [name, proof] of refusals) {
    const [status, code, challenge] = await send(token, proof);
    t.same([status, code], [401, 'DPOP_PROOF_INVALID'], name);
    t.match(challenge, /^DPoP .*error="invalid_dpop_proof"/, name);
  }
});

t.test('B-dpop: a query in the address of the proof does not matter, as RFC 9449 has it', async (t) => {
  const token = boundTo(elliptic);
  t.equal((await send(token, proofFor(token, { claims: { htu: `${origin}${path}?a=b#c` } })))[0], 200);
});

t.test('B-dpop: a proof counts once, at every instance, and each instance remembers while Redis is away', async (t) => {
  const token = boundTo(elliptic);
  const proof = proofFor(token);
  const other = await startGateway(mesh, { variables });
  t.equal((await send(token, proof))[0], 200);
  t.equal((await send(token, proof))[0], 401);
  t.equal((await send(token, proof, 'DPoP', other.url))[0], 401);
  await other.close();
  const engine = await createPrivateEngine('redis');
  const alone = await startGateway(mesh, { variables, redisUrl: engine.url });
  await engine.kill();
  const late = proofFor(token);
  t.equal((await send(token, late, 'DPoP', alone.url))[0], 200);
  t.equal((await send(token, late, 'DPoP', alone.url))[0], 401);
  await alone.close();
  await engine.close();
});

t.test('B-dpop: a bound token that nobody can verify is refused with or without a proof', async (t) => {
  const claims = Buffer.from(JSON.stringify({ cnf: { jkt: elliptic.thumbprint } })).toString('base64url');
  const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid: 'of-tomorrow' })).toString('base64url');
  const token = `${header}.${claims}.${Buffer.alloc(64).toString('base64url')}`;
  t.same((await send(token, undefined, 'Bearer')).slice(0, 2), [401, 'TOKEN_INVALID']);
  t.same((await send(token, proofFor(token))).slice(0, 2), [401, 'TOKEN_INVALID'], 'the service judges it');
});

t.test('B-dpop: an unbound token is no DPoP token', async (t) => {
  const token = mesh.tokens.token();
  t.same((await send(token, proofFor(token))).slice(0, 2), [401, 'DPOP_PROOF_INVALID']);
  t.equal((await send(token, undefined, 'Bearer'))[0], 200);
});

t.test(
  'B-dpop: auth gets the proof of a sign-in, which binds the tokens; public methods look at no token',
  async (t) => {
    const answer = await fetch(`${gateway.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        dpop: 'the.proof.itself',
        authorization: `Bearer ${boundTo(elliptic)}`,
      },
      body: JSON.stringify({ email: 'a@example.com', password: 'x' }),
    });
    t.equal(answer.status, 200);
    t.equal(seen.at(-1), 'the.proof.itself');
  },
);
