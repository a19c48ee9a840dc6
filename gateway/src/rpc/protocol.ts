/** The protocols that browsers speak to Connect services; gRPC proper needs HTTP/2 trailers and has no way through. */
export type RpcProtocol = 'connect' | 'connect-get' | 'connect-stream' | 'grpc-web';

export interface RpcEncoding {
  readonly protocol: RpcProtocol;
  readonly isBinary: boolean;
}

const encodings: ReadonlyMap<string, RpcEncoding> = new Map([
  ['application/json', { protocol: 'connect', isBinary: false }],
  ['application/proto', { protocol: 'connect', isBinary: true }],
  ['application/connect+json', { protocol: 'connect-stream', isBinary: false }],
  ['application/connect+proto', { protocol: 'connect-stream', isBinary: true }],
  ['application/grpc-web', { protocol: 'grpc-web', isBinary: true }],
  ['application/grpc-web+proto', { protocol: 'grpc-web', isBinary: true }],
  ['application/grpc-web+json', { protocol: 'grpc-web', isBinary: false }],
]);

/** The encoding that a Content-Type names; a charset must be UTF-8. */
export function encodingFromContentType(contentType: string | undefined): RpcEncoding | undefined {
  if (contentType === undefined) return undefined;
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  const isPlain = parameters.every((parameter) => /^\s*charset\s*=\s*"?utf-8"?\s*$/.test(parameter));
  return isPlain ? encodings.get(type.trim()) : undefined;
}

/** Connect GET names its encoding in the query (Connect protocol, Unary-Get-Request). */
export function encodingFromQuery(query: string): RpcEncoding | undefined {
  const parameters = new URLSearchParams(query);
  if (parameters.get('connect') !== 'v1' || !parameters.has('message')) return undefined;
  const encoding = parameters.get('encoding');
  if (encoding !== 'json' && encoding !== 'proto') return undefined;
  return { protocol: 'connect-get', isBinary: encoding === 'proto' };
}

/** A path as Connect makes it: package and service, with the service's name in upper case, then the method's. */
export function isRpcPath(path: string): boolean {
  return /^\/[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\.[A-Z][A-Za-z0-9]*\/[A-Z][A-Za-z0-9]*$/.test(path);
}
