import { createHash } from 'node:crypto';
import { Validator } from '@seriousme/openapi-schema-validator';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { Audience, IdempotencyKey } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import { createRouteTable } from '@strongroom/rest';
import t from 'tap';
import { closeTestRedis, startGateway, startMesh } from './fixture.ts';

const mesh = await startMesh({});
const gateway = await startGateway(mesh, { variables: { PUBLIC_URL: 'https://pay.example' } });
t.teardown(async () => {
  await gateway.close();
  await mesh.close();
  await closeTestRedis();
});

interface Operation {
  operationId: string;
  description?: string;
  security: object[];
  parameters?: { name: string; in: string; required?: boolean }[];
  responses: Record<string, object>;
}

const answer = await fetch(`${gateway.url}/openapi.json`);
const document = (await answer.json()) as {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: Record<string, { description?: string }> }> };
};
const services = [AuthService, PaymentsService, ProfileService, AdminService];
const routes = createRouteTable(services).routes;

t.test('B-openapi: the document is valid, with the server that people reach', async (t) => {
  const result = await new Validator().validate(structuredClone(document) as never);
  t.same(result.errors ?? [], []);
  t.equal(document.openapi, '3.1.0');
  t.same(document.servers, [{ url: 'https://pay.example' }]);
});

t.test(
  'B-openapi, older fault 48: every REST route in it, no route outside it, none for internal methods',
  async (t) => {
    const described = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    t.equal(described.length, routes.length);
    for (const line of described) {
      const [method = '', path = ''] = line.split(' ');
      // Asked without a token, a route says 401, 400, 415 or a service's answer; never that there is none.
      const real = path.replace(/\{[^}]+\}/g, '01890000-0000-7000-8000-000000000001');
      const { status } = await fetch(`${gateway.url}${real}`, { method });
      t.ok(status !== 404 && status !== 405, `${line} is there: ${status}`);
    }
    for (const route of routes) {
      t.not(methodPolicy(route.method).access?.audience, Audience.INTERNAL, route.method.name);
    }
  },
);

t.test('B-openapi: security, status and idempotency key are those of the policy', async (t) => {
  const operations = new Map(
    Object.values(document.paths).flatMap((item) => Object.values(item).map((one) => [one.operationId, one])),
  );
  for (const { method } of routes) {
    const policy = methodPolicy(method);
    const operation = operations.get(`${method.parent.name}_${method.name}`);
    t.equal(operation?.security.length === 0, policy.access?.audience === Audience.PUBLIC, `${method.name}: security`);
    t.ok(operation?.responses[String(policy.successStatus)], `${method.name}: ${policy.successStatus}`);
    const key = operation?.parameters?.find((parameter) => parameter.name === 'Idempotency-Key');
    t.equal(key !== undefined, policy.idempotencyKey !== IdempotencyKey.UNSPECIFIED, `${method.name}: key`);
    t.equal(key?.required === true, policy.idempotencyKey === IdempotencyKey.REQUIRED, `${method.name}: key required`);
    t.ok(operation?.description, `${method.name}: description`);
  }
});

t.test('B-openapi: the document has an ETag', async (t) => {
  const etag = answer.headers.get('etag') ?? '';
  t.match(etag, /^"[\w-]+"$/);
  const again = await fetch(`${gateway.url}/openapi.json`, { headers: { 'if-none-match': etag } });
  t.equal(again.status, 304);
  t.equal(await again.text(), '');
});

t.test('B-openapi: the reference page is whole, and its policy lets its own scripts run and no other', async (t) => {
  const page = await fetch(`${gateway.url}/reference`);
  t.equal(page.url, `${gateway.url}/reference/`);
  const html = await page.text();
  const policy = page.headers.get('content-security-policy') ?? '';
  const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, text = '']) => text);
  t.ok(inline.length > 0);
  for (const text of inline) {
    t.ok(
      policy.includes(`'sha256-${createHash('sha256').update(text).digest('base64')}'`),
      'its inline script is let through',
    );
  }
  t.notMatch(policy, /script-src[^;]*unsafe-inline/);
  const sources = [...html.matchAll(/<script[^>]*\ssrc="([^"]+)"/g)].map(([, source = '']) => source);
  t.ok(sources.length > 0);
  for (const source of sources) {
    t.notMatch(source, /^(?:https?:)?\/\//, 'self-hosted');
    const script = await fetch(new URL(source, page.url));
    t.equal(script.status, 200);
    t.match(script.headers.get('content-type'), /javascript/);
    await script.arrayBuffer();
  }
  t.match(html, /\/openapi\.json/);
  t.notMatch(html, /(?:src|href)="https?:/);
});
