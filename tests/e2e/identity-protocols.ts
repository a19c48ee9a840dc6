// AuthService as an outside client calls it, by each protocol in the same form.
import {
  type DescMethod,
  type DescMethodUnary,
  fromJson,
  getOption,
  type JsonObject,
  toJson,
} from '@bufbuild/protobuf';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { http } from '@strongroom/gen/google/api/annotations_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';

// biome-ignore lint/suspicious/noExplicitAny: an outside client, which knows no types of ours
export type Body = any;
export interface Answer {
  readonly status: number;
  readonly body: Body;
}
export interface Sender {
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
}
/** Calls a method of AuthService with its message in JSON. */
export type Caller = (method: string, message?: Record<string, unknown>, sender?: Sender) => Promise<Answer>;

const device = 'device-0193b1f0';
const agent = 'identity-test/1';

/** An HTTP request of a person, whose answer is JSON. */
export async function send(method: string, url: string, body: unknown, { token, headers }: Sender): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      'user-agent': agent,
      'x-device-id': device,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const methodNamed = (name: string): DescMethod => {
  const found = AuthService.methods.find((method) => method.name === name);
  if (found === undefined) throw new Error(`there is no method ${name}`);
  return found;
};

export interface Protocol {
  readonly call: Caller;
  /** What the audit log must know of the caller. */
  readonly caller: { readonly ipAddress: string; readonly userAgent: string; readonly deviceId: string };
}

export const atEdge = { ipAddress: '127.0.0.1', userAgent: agent, deviceId: device };

/** Every way to call auth: by the edge, and by gRPC at its own port. */
export function identityProtocols(gatewayUrl: string, authUrl: string) {
  return {
    REST: { call: createRestCaller(gatewayUrl), caller: atEdge },
    Connect: { call: createConnectCaller(gatewayUrl), caller: atEdge },
    gRPC: { call: createGrpcCaller(authUrl), caller: { ...atEdge, deviceId: '' } },
  } satisfies Record<string, Protocol>;
}

/** By the contract's own route (google.api.http). */
function createRestCaller(gatewayUrl: string): Caller {
  return (name, message = {}, sender = {}) => {
    const rule = getOption(methodNamed(name), http);
    const left = new Map(Object.entries(message));
    const path = String(rule.pattern.value).replace(/\{(\w+)\}/g, (_, field: string) => {
      const value = left.get(field);
      left.delete(field);
      return encodeURIComponent(String(value));
    });
    const verb = (rule.pattern.case ?? 'get').toUpperCase();
    const query = new URLSearchParams(Object.fromEntries([...left].map(([field, value]) => [field, String(value)])));
    const isBody = rule.body === '*';
    const url = `${gatewayUrl}${path}${isBody ? '' : `?${query}`}`;
    return send(verb, url, isBody ? Object.fromEntries(left) : undefined, sender);
  };
}

function createConnectCaller(gatewayUrl: string): Caller {
  return (name, message = {}, sender = {}) =>
    send('POST', `${gatewayUrl}/${AuthService.typeName}/${name}`, message, sender);
}

/** At the service's own port, as operators do: nobody there is believed about a device. */
function createGrpcCaller(authUrl: string): Caller {
  const grpc = createGrpcTransport({ baseUrl: authUrl });
  return async (name, message = {}, { token, headers } = {}) => {
    const method = methodNamed(name) as DescMethodUnary;
    const sent = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers };
    const request = fromJson(method.input, message as JsonObject);
    try {
      const { message: answer } = await grpc.unary(
        method,
        undefined,
        60_000,
        { 'user-agent': agent, ...sent },
        request,
      );
      return { status: 200, body: toJson(method.output, answer) };
    } catch (error) {
      const { status = 0, reason } = readServiceError(error) ?? {};
      return { status, body: { code: reason } };
    }
  };
}
