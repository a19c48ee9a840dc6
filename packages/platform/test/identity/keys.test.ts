import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  createRemoteKeys,
  keysFromJwks,
  loadServiceIdentity,
  serviceNameOf,
  writeDevelopmentCertificates,
} from '@strongroom/platform/identity';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import t from 'tap';
import { createTestIdentities } from '../rpc/fixture.ts';

function jwk(kid: string) {
  const { publicKey } = generateKeyPairSync('ed25519');
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' };
}

async function startJwks(t: { teardown(fn: () => unknown): void }) {
  const state = { keys: [jwk('a')] as object[], status: 200, requests: 0, body: undefined as string | undefined };
  const server = createServer((_request, response) => {
    state.requests += 1;
    response.writeHead(state.status).end(state.body ?? JSON.stringify({ keys: state.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const staleKeys = 'the keys of auth could not be read; the last ones stay in use';

/** A logger, and what it was told to warn of. */
function listen() {
  const said: string[] = [];
  const destination = { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) };
  return { said, logger: createLogger({ name: 'test', level: 'warn', destination }) };
}

t.test('S3.1a: keys of auth are fetched, kept while it is down, and asked for again when one is unknown', async (t) => {
  const { state, url } = await startJwks(t);
  const { said, logger } = listen();
  const keys = createRemoteKeys({ url, unknownKeyIntervalMs: 0, logger });
  t.teardown(() => keys.close());
  t.equal(keys.isLoaded(), false);
  const first = await keys.find('a');
  t.match(first, { kid: 'a', algorithm: 'EdDSA', material: /PUBLIC KEY/ });
  t.equal(keys.find('a'), first, 'without a wait');
  t.equal(state.requests, 1);
  state.keys.push(jwk('b'));
  t.match(await keys.find('b'), { kid: 'b' }, 'rotation needs no restart');
  t.equal(keys.find('a'), first, 'the same object, so that verified tokens stay in the cache');
  for (const fault of [
    () => (state.status = 500),
    () => (state.body = '{'),
    () => (state.body = '{"keys":5}'),
    () => (state.body = 'x'.repeat(70_000)),
  ]) {
    state.status = 200;
    fault();
    t.equal(await keys.find('c'), undefined);
    t.equal(keys.find('a'), first);
    said.length = 0;
    await keys.refresh();
    t.same([...new Set(said)], [staleKeys], 'a failure is told');
  }
  state.status = 200;
  state.body = undefined;
  state.keys = [jwk('d')];
  await keys.refresh();
  t.equal(await keys.find('a'), undefined, 'a key that is withdrawn is gone');
});

t.test('S1.5, S3.1a: started before auth, a process says once that it lacks keys, later each failure', async (t) => {
  const { state, url } = await startJwks(t);
  const { said, logger } = listen();
  const keys = createRemoteKeys({ url, logger });
  t.teardown(() => keys.close());
  state.status = 503;
  await keys.refresh();
  await keys.refresh();
  t.same(said.splice(0), ['auth gives no keys yet: no token is verified until it does']);
  state.status = 200;
  await keys.refresh();
  t.equal(keys.isLoaded(), true);
  state.status = 503;
  await keys.refresh();
  await keys.refresh();
  t.ok(said.length >= 2, 'its own timer asks, too');
  t.same([...new Set(said)], [staleKeys]);
});

t.test('S3.1a: made-up key ids make no traffic', async (t) => {
  const { state, url } = await startJwks(t);
  const keys = createRemoteKeys({ url, unknownKeyIntervalMs: 60_000 });
  t.teardown(() => keys.close());
  await Promise.all(Array.from({ length: 50 }, (_, index) => keys.find(`made-up-${index}`)));
  for (let index = 0; index < 50; index++) t.equal(await keys.find(`more-${index}`), undefined);
  t.equal(state.requests, 1);
});

t.test('S3.1a: of a key set only what is ours is taken', async (t) => {
  const good = jwk('good');
  const odd = [
    null,
    5,
    {},
    { ...good, kid: undefined },
    { ...good, kid: 'a b' },
    { ...good, alg: 'HS256' },
    { ...good, use: 'enc' },
    { ...good, crv: 'X25519' },
    { ...good, x: 'short' },
    { kty: 'oct', k: 'AAAA', kid: 'oct', alg: 'HS256' },
    { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }), kid: 'rsa' },
  ];
  t.same(
    keysFromJwks({ keys: [...odd, good] }).map(({ kid }) => kid),
    ['good'],
  );
  for (const document of [null, 5, {}, { keys: {} }]) t.throws(() => keysFromJwks(document));
});

t.test('B-zero: development certificates name their service, and stay while they are good', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway');
  t.teardown(() => tls.close());
  const read = (name: string) => readFile(join(tls.folder, name), 'utf8');
  const [ca, auth, gateway] = [await read('ca.pem'), await read('auth.pem'), await read('gateway.pem')];
  const certificate = new X509Certificate(auth);
  t.equal(serviceNameOf(certificate), 'auth');
  t.equal(certificate.subjectAltName, 'URI:spiffe://strongroom/service/auth, DNS:localhost, IP Address:127.0.0.1');
  t.equal(certificate.ca, false);
  t.ok(certificate.verify(new X509Certificate(ca).publicKey));
  for (const name of ['ca.key.pem', 'auth.key.pem'])
    t.equal((await stat(join(tls.folder, name))).mode & 0o077, 0, name);
  await writeDevelopmentCertificates(tls.folder, ['auth', 'gateway', 'payments']);
  t.same([await read('ca.pem'), await read('auth.pem'), await read('gateway.pem')], [ca, auth, gateway]);
  t.equal(serviceNameOf(new X509Certificate(await read('payments.pem'))), 'payments');
  await writeFile(join(tls.folder, 'auth.pem'), gateway);
  await writeFile(join(tls.folder, 'gateway.key.pem'), 'damaged');
  await writeDevelopmentCertificates(tls.folder, ['auth', 'gateway']);
  t.equal(serviceNameOf(new X509Certificate(await read('auth.pem'))), 'auth');
  t.equal((await tls.identity('gateway')).name, 'gateway');
  await utimes(join(tls.folder, 'ca.pem'), 0, 0);
});

t.test('B-zero: an identity that is not whole is not loaded', async (t) => {
  const tls = await createTestIdentities('auth', 'gateway');
  const foreign = await createTestIdentities('auth');
  t.teardown(() => Promise.all([tls.close(), foreign.close()]));
  const path = (name: string, folder = tls.folder) => join(folder, name);
  const files = { TLS_CA_FILE: path('ca.pem'), TLS_CERT_FILE: path('auth.pem'), TLS_KEY_FILE: path('auth.key.pem') };
  const metrics = createMetrics({ name: 'test', processMetrics: false });
  const whole = await loadServiceIdentity(files, { metrics });
  t.teardown(() => whole.close());
  const leftS = (whole.expireTime().getTime() - Date.now()) / 1_000;
  t.ok(Math.abs((await metrics.value('service_certificate_expiry_seconds')) - leftS) < 60, 'one that is tells its end');
  await t.rejects(loadServiceIdentity({}), /must all be set/);
  await t.rejects(loadServiceIdentity({ ...files, TLS_KEY_FILE: path('gateway.key.pem') }), /not the key/);
  await t.rejects(loadServiceIdentity({ ...files, TLS_CA_FILE: path('ca.pem', foreign.folder) }), /not issued/);
  await t.rejects(loadServiceIdentity({ ...files, TLS_CERT_FILE: path('ca.pem') }), /names no service/);
});
