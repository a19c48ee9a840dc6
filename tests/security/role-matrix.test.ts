// Role × method × protocol, generated from the contract: what the policy of a method says is what a caller meets,
// whichever way the call takes (B-zero, ASVS 8.2.1).
import { Agent } from 'node:http';
import type { DescMethod } from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from '@connectrpc/connect-node';
import { Audience, type MethodPolicy, Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { methodPolicy } from '@strongroom/platform/rpc';
import t from 'tap';
import { nameOf, restRequestsOf, startContractEdge } from './contract-edge.ts';

const callers = { anonymous: undefined, customer: 'CUSTOMER', vendor: 'VENDOR', admin: 'ADMIN' } as const;
type Caller = keyof typeof callers;
const roles = { CUSTOMER: Role.CUSTOMER, VENDOR: Role.VENDOR, ADMIN: Role.ADMIN } as const;
/** Why a caller is kept out. Anything else means that he was let in: an empty request then breaks the rules of the fields. */
const keptOut = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'METHOD_NOT_FOUND']);

t.setTimeout(120_000);

const edge = await startContractEdge(t);
const tokens = Object.fromEntries(
  Object.entries(callers).map(([caller, role]) => [caller, role && edge.mesh.tokens.token({ role })]),
) as Record<Caller, string | undefined>;

function expectedAt({ access }: MethodPolicy, caller: Caller): string {
  const role = callers[caller];
  switch (access?.audience) {
    case Audience.PUBLIC:
      return 'let in';
    case Audience.SIGNED_IN:
      return role === undefined ? 'UNAUTHENTICATED' : 'let in';
    case Audience.ROLES:
      if (role === undefined) return 'UNAUTHENTICATED';
      return access.roles.includes(roles[role]) ? 'let in' : 'FORBIDDEN';
    default:
      return 'FORBIDDEN';
  }
}

const headersOf = (caller: Caller): Record<string, string> =>
  tokens[caller] === undefined ? {} : { authorization: `Bearer ${tokens[caller]}` };

async function overRpc(transport: Transport, method: DescMethod, caller: Caller): Promise<string> {
  const headers = new Headers(headersOf(caller));
  try {
    if (method.methodKind === 'unary') {
      await transport.unary(method as DescMethod & { methodKind: 'unary' }, undefined, 5_000, headers, {});
      return 'let in';
    }
    const input = (async function* () {
      yield {};
    })();
    const { message } = await transport.stream(
      method as DescMethod & { methodKind: 'server_streaming' },
      undefined,
      5_000,
      headers,
      input,
    );
    for await (const _ of message) break;
    return 'let in';
  } catch (error) {
    const refusal = ConnectError.from(error);
    // A gRPC-Web client reads 404 as "unimplemented", without details.
    if (refusal.code === Code.Unimplemented) return 'METHOD_NOT_FOUND';
    const reason = readServiceError(refusal)?.reason ?? String(error);
    return keptOut.has(reason) ? reason : 'let in';
  }
}

async function overRest(method: DescMethod, caller: Caller): Promise<string[]> {
  return Promise.all(
    restRequestsOf(method).map(async ({ verb, path, hasBody }) => {
      const response = await fetch(`${edge.gateway.url}${path}`, {
        method: verb,
        headers: { ...headersOf(caller), ...(hasBody ? { 'content-type': 'application/json' } : {}) },
        ...(hasBody ? { body: '{}' } : {}),
      });
      const text = await response.text();
      const code = response.ok ? '' : String((JSON.parse(text) as { code: string }).code);
      return keptOut.has(code) ? code : 'let in';
    }),
  );
}

const agent = new Agent({ keepAlive: true });
const http1 = { httpVersion: '1.1', nodeOptions: { agent } } as const;
type TransportOf = (baseUrl: string) => Transport;
const protocols: Record<string, TransportOf> = {
  'Connect JSON': (baseUrl) => createConnectTransport({ baseUrl, ...http1, useBinaryFormat: false }),
  'Connect binary': (baseUrl) => createConnectTransport({ baseUrl, ...http1 }),
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, ...http1 }),
};
const sessions: Http2SessionManager[] = [];
const directProtocols: Record<string, TransportOf> = {
  ...protocols,
  gRPC(baseUrl) {
    const sessionManager = new Http2SessionManager(baseUrl);
    sessions.push(sessionManager);
    return createGrpcTransport({ baseUrl, sessionManager });
  },
};
t.teardown(() => {
  agent.destroy();
  for (const session of sessions) session.abort();
});

function transportsTo(url: string) {
  const at = (place: string, isEdge: boolean, made: Record<string, TransportOf>) =>
    Object.entries(made).map(([name, make]) => ({
      name: `${name} at the ${place}`,
      isEdge,
      transport: make(isEdge ? edge.gateway.url : url),
    }));
  return [...at('edge', true, protocols), ...at('service', false, directProtocols)];
}

for (const { service, url } of edge.mesh.upstreams) {
  t.test(`B-zero: every role meets what the contract says of ${service.typeName}, over every protocol`, async (t) => {
    let count = 0;
    const wrong: string[] = [];
    const compare = (method: DescMethod, how: string, caller: Caller, expected: string, met: string) => {
      count += 1;
      if (met !== expected) wrong.push(`${method.name} by ${caller} over ${how}: ${met} for ${expected}`);
    };
    const transports = transportsTo(url.replace('https:', 'http:'));
    for (const method of service.methods) {
      const policy = methodPolicy(method);
      const isInternal = policy.access?.audience === Audience.INTERNAL;
      for (const caller of Object.keys(callers) as Caller[]) {
        const expected = expectedAt(policy, caller);
        await Promise.all(
          transports.map(async ({ name, isEdge, transport }) => {
            const met = await overRpc(transport, method, caller);
            compare(method, name, caller, isInternal && isEdge ? 'METHOD_NOT_FOUND' : expected, met);
          }),
        );
        for (const met of await overRest(method, caller)) compare(method, 'REST', caller, expected, met);
      }
      if (isInternal) {
        t.same(restRequestsOf(method), [], `${method.name} has no REST route`);
        t.equal(edge.reached.get(nameOf(method)) ?? 0, 0, `${method.name} was never reached`);
      }
    }
    t.same(wrong, [], `${count} calls`);
    t.ok(count > service.methods.length * 28, `${count} calls`);
  });
}
