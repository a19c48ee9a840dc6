import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { commonErrors } from '@strongroom/platform/errors';
import type { EdgeMethod } from '../rest/route-table.ts';
import { encodingFromContentType, encodingFromQuery, isRpcPath, type RpcEncoding } from './protocol.ts';

export interface RpcMatch extends EdgeMethod {
  readonly kind: 'rpc';
  readonly encoding: RpcEncoding;
}

export type RpcOutcome =
  | RpcMatch
  | { readonly kind: 'options'; readonly allow: string }
  | { readonly kind: 'methodNotAllowed'; readonly allow: string }
  /** A call of a method that isn't there, or that is internal: the two look alike. */
  | { readonly kind: 'noMethod'; readonly encoding: RpcEncoding | undefined };

export interface RpcRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly contentType: string | undefined;
}

/** Finds the method of a browser's call; undefined for a path that is none of an RPC. */
export function matchRpc(methods: ReadonlyMap<string, EdgeMethod>, request: RpcRequest): RpcOutcome | undefined {
  if (!isRpcPath(request.path)) return undefined;
  const isGet = request.method === 'GET';
  const encoding = encodingOf(request);
  const edge = methods.get(request.path);
  if (edge === undefined) return { kind: 'noMethod', encoding };
  const takesGet = isSafeUnary(edge);
  const allow = takesGet ? 'GET, OPTIONS, POST' : 'OPTIONS, POST';
  if (request.method === 'OPTIONS') return { kind: 'options', allow };
  // ASVS V3.5.3: a GET changes nothing, so only methods without side effects have one.
  if (request.method !== 'POST' && !(isGet && takesGet)) return { kind: 'methodNotAllowed', allow };
  if (encoding === undefined) throw isGet ? commonErrors.MALFORMED_REQUEST() : commonErrors.UNSUPPORTED_MEDIA_TYPE();
  const isStream = edge.method.methodKind !== 'unary';
  const isOneEncoding = encoding.protocol === 'grpc-web' || (encoding.protocol === 'connect-stream') === isStream;
  if (!isOneEncoding) throw commonErrors.UNSUPPORTED_MEDIA_TYPE();
  return { kind: 'rpc', encoding, ...edge };
}

/** No protocol is spoken by any other verb: an error then goes out as a problem. */
function encodingOf({ method, query, contentType }: RpcRequest): RpcEncoding | undefined {
  if (method === 'GET') return encodingFromQuery(query);
  return method === 'POST' ? encodingFromContentType(contentType) : undefined;
}

function isSafeUnary({ method }: EdgeMethod): boolean {
  return method.methodKind === 'unary' && method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}
