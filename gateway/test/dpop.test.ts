import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createPrivateEngine } from '@strongroom/testkit';
import t from 'tap';
import { thumbprintOf } from '../src/edge/dpop.ts';
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
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const edwards = generateKeyPairSync('ed25519');

interface ProofParts {
  header?: object;
  claims?: object;
  key?: { privateKey: KeyObject; publicKey: KeyObject };
}

function proofFor(token: string, { header = {}, claims = {}, key = keys }: ProofParts = {}): string {
  const isEdwards = key.privateKey.asymmetricKeyType === 'ed25519';
  const ath = createHash('sha256').update(token).digest('base64url');
  const parts = [
    { typ: 'dpop+jwt', alg: isEdwards ? 'EdDSA' : 'ES256', jwk: key.publicKey.export({ format: 'jwk' }), ...header },
    { jti: randomUUID(), htm: 'GET', htu: `${origin}${path}`, iat: Math.floor(Date.now() / 1000), ath, ...claims },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const bytes = Buffer.from(signed);
  const signature = isEdwards
    ? sign(null, bytes, key.privateKey)
    : sign('sha256', bytes, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

const boundTo = (key: KeyObject) =>
  mesh.tokens.token({ claims: { cnf: { jkt: thumbprintOf(key.export({ format: 'jwk' })) } } });

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
  for (const key of [keys, edwards]) {
    const token = boundTo(key.publicKey);
    t.same(await send(token, proofFor(token, { key })), [200, '', null]);
    t.same(await send(token, proofFor(token, { key }), 'Bearer'), [200, '', null]);
  }
});

t.test('B-dpop: a bound token without its proof is refused', async (t) => {
  const token = boundTo(keys.publicKey);
  const refusals: [name: string, proof: string | undefined][] = [
    ['none', undefined],
    ['garbage', 'a.b.c'],
    ['another key', proofFor(token, { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }) })],
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
    ['a private key inside', proofFor(token, { header: { jwk: keys.privateKey.export({ format: 'jwk' }) } })],
    ['a changed signature', proofFor(token).replace(/.{4}$/, 'AAAA')],
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
  const token = boundTo(keys.publicKey);
  t.equal((await send(token, proofFor(token, { claims: { htu: `${origin}${path}?a=b#c` } })))[0], 200);
});

t.test('B-dpop: a proof counts once, at every instance, and each instance remembers while Redis is away', async (t) => {
  const token = boundTo(keys.publicKey);
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
        authorization: `Bearer ${boundTo(keys.publicKey)}`,
      },
      body: JSON.stringify({ email: 'a@example.com', password: 'x' }),
    });
    t.equal(answer.status, 200);
    t.equal(seen.at(-1), 'the.proof.itself');
  },
);
