// Identity through the real system: every method of auth by REST, Connect and gRPC, on record; tokens of shared secrets
// and forged ones at every service; DPoP. One system for the whole file.
import { createHmac, createPublicKey, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DescMethod, getOption } from '@bufbuild/protobuf';
import { http } from '@strongroom/gen/google/api/annotations_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import { createProofKey, forgeTokens, until } from '@strongroom/testkit';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { freePort } from '../../scripts/support/ports.ts';
import { codeAt, stepAt } from '../../services/auth/src/mfa/totp.ts';
import { createSoftwareAuthenticator } from '../../services/auth/test/software-authenticator.ts';
import { howToGetChromium, openChromium } from './browser.ts';
import { atEdge, type Body, type Caller, identityProtocols, type Sender, send } from './identity-protocols.ts';
import { openPasskeyPage } from './passkey-page.ts';
import { startTestSystem } from './system-fixture.ts';

t.setTimeout(230_000);
const secret = 'q8Wc4RtY7uPzLmN2xVbK9jHgF5dSaE3o';
const edgePort = await freePort();
const system = await startTestSystem(t.teardown, {
  GATEWAY_PORT: String(edgePort),
  DPOP_ORIGINS: `http://127.0.0.1:${edgePort}`,
  DENY_MARKER_LEASE_MS: '2000',
  WEBAUTHN_ORIGINS: `http://localhost:3000,http://localhost:${edgePort}`,
  JWT_SECRETS: JSON.stringify([{ kid: 'shared', secret }]),
});
const administrator = await system.administrator();

const protocols = identityProtocols(system.gatewayUrl, system.direct('auth'));

const password = 'Vault-Of-Granite-9z!';
const newPassword = 'Copper-Lantern-58-Meadow!';

/** The token of the newest message to an address whose text matches. */
async function mailedToken(email: string, text: RegExp): Promise<string> {
  const folder = join(system.dataDir, 'mailbox');
  return until(
    async () => {
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
      for (const name of names.reverse()) {
        const message = JSON.parse(await readFile(join(folder, name), 'utf8')) as { to: string; text: string };
        if (message.to === email && text.test(message.text)) return /[A-Za-z0-9_-]{43}/.exec(message.text)?.[0];
      }
      return undefined;
    },
    { what: `a message to ${email}`, timeoutMs: 20_000 },
  );
}

/** A person's whole life, in which every method that people may call answers. */
async function live(t: Test, protocol: string, call: Caller): Promise<{ id: string; called: Set<string> }> {
  const called = new Set<string>();
  const ok = async (name: string, message: Record<string, unknown> = {}, token?: string): Promise<Body> => {
    const { status, body } = await call(name, message, { token });
    t.ok(status >= 200 && status < 300, `${protocol} ${name}: ${status} ${status < 300 ? '' : JSON.stringify(body)}`);
    called.add(name);
    return body ?? {};
  };
  const email = `${protocol.toLowerCase()}.${randomUUID()}@example.com`;
  const registered = await ok('Register', { email, password, name: 'Ada Test' });
  const id: string = registered.user.id;
  const first = registered.tokens;
  await ok('VerifyEmail', { token: await mailedToken(email, /confirm/i) });
  await ok('ResendVerification', {}, first.accessToken);
  await ok('RequestPasswordReset', { email });
  await ok('ResetPassword', { token: await mailedToken(email, /new password/i), newPassword: password });
  const signIn = async (secretNow = password): Promise<Body> =>
    (await ok('Login', { email, password: secretNow })).tokens;
  const [one, other] = [await signIn(), await signIn()];
  t.equal((await ok('GetMe', {}, one.accessToken)).user.id, id);
  const { sessions } = await ok('ListSessions', {}, one.accessToken);
  await ok('RevokeSession', { id: sessions.find((session: Body) => session.current !== true).id }, one.accessToken);
  await ok('RevokeOtherSessions', {}, one.accessToken);
  t.equal((await call('GetMe', {}, { token: other.accessToken })).status, 401);
  const next = await ok('Refresh', { refreshToken: one.refreshToken });
  await ok('ChangePassword', { currentPassword: password, newPassword }, next.accessToken);
  await ok('GetCaptchaChallenge');
  const session = await signIn(newPassword);
  await liveWithFactors({ ok, email, session });
  const last = await ok('Login', { email, password: newPassword });
  await ok('Logout', {}, last.tokens.accessToken);
  await ok('LogoutAll', {}, (await signIn(newPassword)).accessToken);
  return { id, called };
}

type Ok = (name: string, message?: Record<string, unknown>, token?: string) => Promise<Body>;

/** Both kinds of second factors, recovery, and back to none. */
async function liveWithFactors({ ok, email, session }: { ok: Ok; email: string; session: Body }): Promise<void> {
  const { secret: seed } = await ok('EnrollTotp', {}, session.accessToken);
  // Each step counts once: the one before for the proof, the one of now for the step-up.
  const { backupCodes } = await ok('ConfirmTotp', { code: codeAt(seed, stepAt(Date.now()) - 1) }, session.accessToken);
  const { accessToken } = await ok('StepUp', { code: codeAt(seed, stepAt(Date.now())) }, session.accessToken);
  await ok('GetMfaStatus', {}, accessToken);
  const { mfaChallenge } = await ok('Login', { email, password: newPassword });
  const { recovery } = await ok('StartMfaRecovery', { challengeId: mfaChallenge.id });
  await ok('VerifyMfa', { challengeId: mfaChallenge.id, backupCode: backupCodes[0] });
  await ok('CancelMfaRecovery', { id: recovery.id }, accessToken);
  const again = (await ok('Login', { email, password: newPassword })).mfaChallenge;
  const second = await ok('StartMfaRecovery', { challengeId: again.id });
  await ok('ApproveMfaRecovery', { id: second.recovery.id, reason: 'passport seen' }, administrator.token);
  await ok('RegenerateBackupCodes', {}, accessToken);
  const authenticator = createSoftwareAuthenticator();
  const options = await ok('StartPasskeyRegistration', {}, accessToken);
  const responseJson = authenticator.register(options.optionsJson);
  const { passkey } = await ok('FinishPasskeyRegistration', { responseJson, name: 'Laptop' }, accessToken);
  const login = await ok('StartPasskeyLogin');
  const answer = authenticator.answer(login.optionsJson);
  const { tokens } = await ok('FinishPasskeyLogin', { challengeId: login.challengeId, responseJson: answer });
  await ok('RemovePasskey', { id: passkey.id }, tokens.accessToken);
  await ok('DisableMfa', { password: newPassword }, tokens.accessToken);
  for (const name of ['GetLockout', 'Unlock']) await ok(name, { email }, administrator.token);
  for (const name of ['GetSecretsStatus', 'ListRotations']) await ok(name, {}, administrator.token);
  await ok('CheckExpiring', { withinDays: 30 }, administrator.token);
  await ok('RotateSecrets', { reason: 'a test' }, administrator.token);
}

/** Values for the fields in a method's path: all that its route needs to be found. */
function pathFieldsOf(method: DescMethod, email: string): Record<string, string> {
  const path = String(getOption(method, http).pattern.value);
  if (path.includes('{email}')) return { email };
  return path.includes('{id}') ? { id: '0193b1f0-0000-7000-8000-000000000000' } : {};
}

/** Methods that people may call at all. */
const forPeople = AuthService.methods.filter((method) => methodPolicy(method).access?.audience !== Audience.INTERNAL);
const auditPage = async (filter: Record<string, string>): Promise<Body[]> => {
  const query = new URLSearchParams({ pageSize: '100', ...filter });
  return (await administrator.get(`/admin/audit-logs?${query}`, { token: administrator.token })).body.events;
};

const actions = [
  'USER_REGISTERED',
  'USER_UPDATED',
  'USER_PASSWORD_CHANGED',
  'USER_LOGIN',
  'USER_LOGOUT',
  'SESSION_REVOKED',
  'MFA_ENABLED',
  'MFA_DISABLED',
  'MFA_RECOVERY',
];

for (const [protocol, { call, caller }] of Object.entries(protocols)) {
  t.test(
    `S1.4: every method of auth answers by ${protocol}, and every act is on record`,
    { timeout: 120_000 },
    async (t) => {
      const { id, called } = await live(t, protocol, call);
      t.same(
        forPeople.map(({ name }) => name).filter((name) => !called.has(name)),
        [],
        'no method is left out',
      );
      for (const action of actions) {
        const events = await until(
          async () => {
            const found = await auditPage({ action, subjectId: id });
            return found.length > 0 ? found : undefined;
          },
          { what: `${action} in the audit log`, timeoutMs: 20_000 },
        );
        const byPerson = events.find(({ actorId }) => actorId === id);
        t.match(byPerson, caller, action);
        t.match(byPerson?.traceId, /^[0-9a-f]{32}$/, `${action}: with its trace`);
      }
    },
  );

  t.test(`S7.3: every refusal by ${protocol} is on record, with who and what`, { timeout: 60_000 }, async (t) => {
    const person = await system.person(protocol.toLowerCase());
    const refused = new Map<string, string>();
    for (const method of forPeople) {
      const audience = methodPolicy(method).access?.audience;
      if (audience === Audience.PUBLIC) continue;
      const message = pathFieldsOf(method, person.email);
      const without = await call(method.name, message);
      t.equal(without.status, 401, `${method.name} without a token`);
      if (audience !== Audience.ROLES) continue;
      const traceId = randomUUID().replaceAll('-', '');
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
      t.equal(
        (await call(method.name, message, { token: person.token, headers })).status,
        403,
        `${method.name} by a customer`,
      );
      refused.set(`${AuthService.typeName}/${method.name}`, traceId);
    }
    const events = await until(
      async () => {
        const found = await auditPage({ action: 'AUTHORIZATION_DENIED', actorId: person.id });
        return found.length >= refused.size ? found : undefined;
      },
      { what: 'the refusals in the audit log', timeoutMs: 20_000 },
    );
    for (const [name, traceId] of refused) {
      const event = events.find(({ details }) => details.method === name);
      t.match(event, { actorId: person.id, ...caller, traceId }, name);
    }
  });
}

/** Of each service a route through the edge, and a method at its own port. */
const doors = {
  auth: ['/api/v1/auth/me', 'auth.v1.AuthService/GetMe'],
  payments: ['/api/v1/payments', 'payments.v1.PaymentsService/ListPayments'],
  profile: ['/api/v1/profile', 'profile.v1.ProfileService/GetProfile'],
  admin: ['/api/v1/admin/flags', 'admin.v1.AdminService/ListFlags'],
} as const;
const services = Object.keys(doors) as (keyof typeof doors)[];
const knock = (service: keyof typeof doors, sender: Sender) =>
  send('GET', `${system.gatewayUrl}${doors[service][0]}`, undefined, sender);

/** The statuses of every door. */
async function knockEverywhere(token: string): Promise<number[]> {
  const answers = services.flatMap((service) => [
    knock(service, { token }),
    send('POST', `${system.direct(service)}/strongroom.${doors[service][1]}`, {}, { token }),
  ]);
  return (await Promise.all(answers)).map(({ status }) => status);
}

t.test('S7.3: at every service a call with no, a forged or a revoked token is on record', async (t) => {
  const person = await system.person('refused');
  const traceId = randomUUID().replaceAll('-', '');
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  t.equal((await protocols.REST.call('Logout', {}, { token: person.token })).status, 200);
  for (const service of services) {
    for (const token of [undefined, 'not.a.token', person.token]) {
      t.equal((await knock(service, { token, headers })).status, 401);
    }
  }
  t.equal((await protocols.gRPC.call('FindUserByEmail', { email: person.email })).status, 403, 'a method for services');
  const eventOf = (events: Body[], service: string, reason: string) =>
    events.find(
      ({ details, subjectId }) =>
        details.method.startsWith(`strongroom.${service}.`) &&
        details.reason === reason &&
        (reason !== 'TOKEN_REVOKED' || subjectId === person.id),
    );
  const reasons = ['UNAUTHENTICATED', 'TOKEN_INVALID', 'TOKEN_REVOKED'];
  const cases = services.flatMap((service) => reasons.map((reason) => ({ service, reason })));
  const found = await until(
    async () => {
      const events = await auditPage({ action: 'AUTHORIZATION_DENIED' });
      const all = cases.map(({ service, reason }) => eventOf(events, service, reason));
      return all.includes(undefined) || eventOf(events, 'auth', 'FORBIDDEN') === undefined ? undefined : all;
    },
    { what: 'the refusals in the audit log', timeoutMs: 20_000 },
  );
  for (const [index, { service, reason }] of cases.entries()) {
    const facts = reason === 'TOKEN_REVOKED' ? { traceId } : {};
    t.match(found[index], { actorId: '', ...atEdge, ...facts }, `${service} ${reason}`);
  }
});

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const bySharedSecret = (text: string) => `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
const header = { alg: 'HS256', typ: 'at+jwt', kid: 'shared' };

t.test('S3.1a: a token of JWT_SECRETS is taken by every service, through the edge and at its own port', async (t) => {
  const parts = [header, claimsOf(administrator.token)].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const token = bySharedSecret(parts.join('.'));
  t.same(new Set(await knockEverywhere(token)), new Set([200]));
});

t.test(
  'S3.1a: every forgery is refused by every service, with one body (older faults 3, 18)',
  { timeout: 60_000 },
  async (t) => {
    const { keys } = (await send('GET', `${system.gatewayUrl}/.well-known/jwks.json`, undefined, {})).body;
    const pem = createPublicKey({ key: keys[0], format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
    const forgeries = forgeTokens({
      header,
      claims: claimsOf(administrator.token),
      sign: bySharedSecret,
      publicKey: { kid: keys[0].kid, pem },
      secret: { kid: 'shared', secret: Buffer.from(secret) },
    });
    t.ok(Object.keys(forgeries).length >= 40, `${Object.keys(forgeries).length} forgeries`);
    const bodies = new Set<string>();
    for (const service of services) {
      for (const [name, token] of Object.entries(forgeries)) {
        const { status, body } = await knock(service, { token });
        const { requestId: _, instance: __, ...told } = body;
        if (status !== 401) t.fail(`${service}, ${name}: ${status}`);
        bodies.add(JSON.stringify(told));
      }
    }
    t.equal(bodies.size, 1, [...bodies].join('\n'));
    t.match([...bodies][0], 'TOKEN_INVALID');
  },
);

t.test('B-dpop: through the edge, tokens bound at sign-in count with their proofs alone', async (t) => {
  const person = await system.person('dpop');
  const key = await createProofKey();
  const url = (path: string) => `${system.gatewayUrl}/api/v1/auth${path}`;
  const signedIn = await send(
    'POST',
    url('/login'),
    { email: person.email, password },
    {
      headers: { dpop: key.proof({ url: url('/login') }) },
    },
  );
  const { accessToken: token, refreshToken } = signedIn.body.tokens;
  t.equal(claimsOf(token).cnf.jkt, key.thumbprint);
  const proof = key.proof({ method: 'GET', url: url('/me'), token });
  const me = (headers: Record<string, string>) => send('GET', url('/me'), undefined, { headers });
  t.equal((await me({ authorization: `DPoP ${token}`, dpop: proof })).status, 200);
  t.match(
    await me({ authorization: `DPoP ${token}`, dpop: proof }),
    { status: 401, body: { code: 'DPOP_PROOF_INVALID' } },
    'a replay',
  );
  t.match(await me({ authorization: `Bearer ${token}` }), { status: 401, body: { code: 'DPOP_PROOF_INVALID' } });
  const direct = await send('POST', `${system.direct('auth')}/strongroom.auth.v1.AuthService/GetMe`, {}, { token });
  t.equal(direct.status, 401, 'past the edge too');
  const refresh = (headers: Record<string, string>) => send('POST', url('/refresh'), { refreshToken }, { headers });
  t.match(await refresh({}), { status: 401, body: { code: 'DPOP_PROOF_INVALID' } });
  const next = await refresh({ dpop: key.proof({ url: url('/refresh') }) });
  t.equal(claimsOf(next.body.accessToken).cnf.jkt, key.thumbprint);
});

t.test(
  'B-passkey: registration, second factor and passwordless sign-in in Chromium',
  { timeout: 120_000 },
  async (t) => {
    const browser = await openChromium((close) => t.teardown(close));
    if (browser === undefined) {
      t.comment(howToGetChromium);
      t.match(await readFile('.ci/run', 'utf8'), /install .*chromium/, 'continuous integration has one');
      return;
    }
    const page = await openPasskeyPage(browser, `http://localhost:${edgePort}`);
    const ok = async (path: string, body: Record<string, unknown>, token?: string): Promise<Body> => {
      const { status, body: answer } = await page.send(path, body, token);
      t.ok(status === 200 || status === 201, `${path}: ${status}`);
      return answer;
    };
    const person = await system.person('browser');
    const creation = await ok('/mfa/passkeys/start', {}, person.token);
    const responseJson = await page.register(creation.optionsJson);
    const { backupCodes } = await ok('/mfa/passkeys', { responseJson, name: 'Laptop' }, person.token);
    t.equal(backupCodes.length, 10);

    const { mfaChallenge } = await ok('/login', { email: person.email, password });
    t.same(mfaChallenge.methods, ['passkey', 'backup_code'], 'the second factor');
    const passkeyResponseJson = await page.answer(mfaChallenge.passkeyOptionsJson);
    const second = await ok('/mfa/verify', { challengeId: mfaChallenge.id, passkeyResponseJson });
    t.ok(claimsOf(second.tokens.accessToken).amr.includes('mfa'));

    const { challengeId, optionsJson } = await ok('/passkey/start', {});
    const signIn = { challengeId, responseJson: await page.answer(optionsJson) };
    const alone = await ok('/passkey/finish', signIn);
    t.equal(claimsOf(alone.tokens.accessToken).sub, person.id, 'without address or password');
    t.match(await page.send('/passkey/finish', signIn), { status: 401, body: { code: 'PASSKEY_INVALID' } }, 'a replay');

    const elsewhere = await openPasskeyPage(browser, `http://127.0.0.1:${edgePort}`);
    const { optionsJson: bait } = await ok('/passkey/start', {});
    await t.rejects(elsewhere.answer(bait), /SecurityError/, 'a page of another origin gets no answer to pass on');
  },
);

// The last test: Redis stays dead.
t.test('S1.2c, F7, F8: a revocation holds on the very next call at every service, whatever Redis does', async (t) => {
  const engines = JSON.parse(await readFile(join(system.dataDir, 'engines.json'), 'utf8'));
  const redis = new Redis(engines.redisUrl);
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  const kill = () => {
    redis.disconnect();
    process.kill(pid, 'SIGKILL');
  };
  for (const [state, enter] of Object.entries({
    up: () => redis.ping(),
    flushed: () => redis.flushall(),
    killed: kill,
  })) {
    await enter();
    const { token } = await system.person(`redis-${state}`);
    t.notOk((await knockEverywhere(token)).includes(401), `Redis ${state}: taken everywhere`);
    t.equal((await protocols.REST.call('Logout', {}, { token })).status, 200);
    t.same(new Set(await knockEverywhere(token)), new Set([401]), `Redis ${state}: refused everywhere`);
  }
});
