// The whole contract behind one gateway: every method answers with an empty message and counts that it was reached.
import { randomUUID } from 'node:crypto';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { createRouteTable } from '@strongroom/rest';
import type { Test } from 'tap';
import {
  closeTestRedis,
  type Gateway,
  handler,
  type Mesh,
  startGateway,
  startMesh,
  streamHandler,
} from '../../gateway/test/fixture.ts';

export interface ContractEdge {
  readonly mesh: Mesh;
  readonly gateway: Gateway;
  /** Calls that reached a use case, by `Service/Method`. */
  readonly reached: ReadonlyMap<string, number>;
  readonly methods: readonly DescMethod[];
  /** A request of a signed-in customer: a GET, or with a body a POST of JSON under an idempotency key of its own. */
  send(
    path: string,
    request?: { readonly body?: string | Buffer; readonly headers?: Record<string, string> },
  ): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
  }>;
}

/** What a method was asked, for tests that look at what arrives. */
export type Answer = (method: DescMethod, request: unknown) => object;

export async function startContractEdge(t: Test, answer: Answer = () => ({})): Promise<ContractEdge> {
  const reached = new Map<string, number>();
  const count = (method: DescMethod) => {
    const name = nameOf(method);
    reached.set(name, (reached.get(name) ?? 0) + 1);
  };
  // Every property there is, so that no method is without an implementation.
  const implementationOf = (service: DescService) =>
    Object.fromEntries(
      service.methods.map((method) => [
        method.localName,
        method.methodKind === 'unary'
          ? handler((request) => {
              count(method);
              return answer(method, request);
            })
          : streamHandler(async function* (request) {
              count(method);
              yield answer(method, request);
            }),
      ]),
    );
  const mesh = await startMesh({
    auth: implementationOf(AuthService),
    payments: implementationOf(PaymentsService),
    profile: implementationOf(ProfileService),
    admin: implementationOf(AdminService),
  });
  const gateway = await startGateway(mesh);
  t.teardown(async () => {
    await gateway.close();
    await mesh.close();
    await closeTestRedis();
  });
  const authorization = `Bearer ${mesh.tokens.token()}`;
  return {
    mesh,
    gateway,
    reached,
    methods: mesh.upstreams.flatMap(({ service }) => service.methods),
    async send(path, { body, headers } = {}) {
      const ofBody = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
      const response = await fetch(`${gateway.url}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization, ...(body === undefined ? {} : ofBody), ...headers },
        body: body ?? null,
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
  };
}

export function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Stands for each variable of a path. */
export const anId = '01890000-0000-7000-8000-000000000001';

/** The REST requests of a method, with an id in each variable of their paths. */
export function restRequestsOf(method: DescMethod): { verb: string; path: string; hasBody: boolean }[] {
  return createRouteTable([method.parent])
    .routes.filter((route) => route.method.name === method.name)
    .map(({ httpMethod, template }) => ({
      verb: httpMethod,
      path: template.source.replace(/\{[^}]*\}/g, anId).replace('**', anId),
      hasBody: httpMethod !== 'GET' && httpMethod !== 'DELETE',
    }));
}
