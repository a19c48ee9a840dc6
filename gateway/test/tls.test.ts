import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, getCiphers, type SecureVersion } from 'node:tls';
import { writeDevelopmentCertificates } from '@strongroom/platform/identity';
import t from 'tap';
import { closeTestRedis, handler, paymentId, startGateway, startMesh } from './fixture.ts';
import { sendRaw } from './raw-http.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-tls-'));
await writeDevelopmentCertificates(folder, ['gateway']);
const ca = readFileSync(join(folder, 'ca.pem'));
const mesh = await startMesh({ payments: { getPayment: handler((asked) => ({ payment: { id: asked.id } })) } });
const gateway = await startGateway(mesh, {
  variables: {
    EDGE_TLS_CERT_FILE: join(folder, 'gateway.pem'),
    EDGE_TLS_KEY_FILE: join(folder, 'gateway.key.pem'),
    EDGE_HEADERS_TIMEOUT_MS: '400',
  },
});
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
  rmSync(folder, { recursive: true });
});

function get(path: string): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }> {
  const headers = { authorization: `Bearer ${mesh.tokens.token()}` };
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: gateway.port, path, ca, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    })
      .on('error', reject)
      .end();
  });
}

/** The version that is agreed on, or why there is none. */
function handshake(maxVersion: SecureVersion, offer: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: gateway.port, ca, minVersion: 'TLSv1', maxVersion } as const;
    // Security level 0: this client would offer anything.
    const socket = connect({ ...options, ciphers: 'DEFAULT@SECLEVEL=0', ...offer }, () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

t.test('S6.1: the edge ends TLS itself where it is told to, with the same answers', async (t) => {
  const found = await get(`/api/v1/payments/${paymentId}`);
  t.equal(found.status, 200, found.text);
  t.match(found.headers['strict-transport-security'], /max-age=\d{8}/);
  const missing = await get('/api/v1/nothing');
  t.equal(missing.status, 404);
  t.match(missing.headers['content-type'], /^application\/problem\+json/);
});

t.test('ASVS 12.1.1: nothing older than TLS 1.2 is spoken', async (t) => {
  t.equal(await handshake('TLSv1.3'), 'TLSv1.3');
  t.equal(await handshake('TLSv1.2'), 'TLSv1.2');
  for (const version of ['TLSv1.1', 'TLSv1'] as const)
    t.match(await handshake(version), /^(ERR_SSL|ECONNRESET|EPROTO)/);
});

t.test('ASVS V12.1.2: of all suites of TLS 1.2 only those with forward secrecy and AEAD are taken', async (t) => {
  const offered = getCiphers().filter((name) => !name.startsWith('tls_'));
  const taken: string[] = [];
  for (const name of offered) {
    const ciphers = `${name.toUpperCase()}:@SECLEVEL=0`;
    if ((await handshake('TLSv1.2', { ciphers })) === 'TLSv1.2') taken.push(name);
  }
  // The certificate of this test has an ECDSA key, so that the suites of RSA find no partner.
  t.same(taken.toSorted(), [
    'ecdhe-ecdsa-aes128-gcm-sha256',
    'ecdhe-ecdsa-aes256-gcm-sha384',
    'ecdhe-ecdsa-chacha20-poly1305',
  ]);
});

t.test('ASVS V11.6.2: keys are agreed on by X25519, alone or with ML-KEM, or P-256', async (t) => {
  for (const group of ['X25519MLKEM768', 'X25519', 'prime256v1'])
    t.equal(await handshake('TLSv1.3', { ecdhCurve: group }), 'TLSv1.3', group);
  for (const group of ['secp521r1', 'secp384r1', 'X448', 'ffdhe2048'])
    t.match(await handshake('TLSv1.3', { ecdhCurve: group }), /^(ERR_SSL|ECONNRESET|EPROTO)/, group);
});

t.test('S6.1: a request in clear at the port of TLS is not answered', async (t) => {
  const answer = await sendRaw(gateway.port, 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').then(
    ({ text }) => text,
    (error: Error) => error.message,
  );
  t.notMatch(answer, /HTTP\/1\.1 200/);
});

t.test('S6.3: a slow head over TLS is cut off too', async (t) => {
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port: gateway.port, ca }, () =>
      socket.write('GET /livez HTTP/1.1\r\n'),
    );
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  t.match(answer, /^HTTP\/1\.1 408 /);
});
