import type { Message } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import type { RestRequestError, RouteTable } from '../src/index.ts';
import { createRouteTable, RestRequestError as RequestError } from '../src/index.ts';
import { serviceNamed } from './descriptors.ts';

export function createTestTable(options: Parameters<typeof createRouteTable>[1] = {}): RouteTable {
  return createRouteTable([serviceNamed('Messaging'), serviceNamed('Library')], {
    isRawBody: (method) => method.name === 'ReceiveHook',
    ...options,
  });
}

export interface TestRequest {
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
}

/** Sends `METHOD target` through match and decode: the RPC's name with its request as JSON, or what refused it. */
export function transcode(table: RouteTable, line: string, request: TestRequest = {}): unknown {
  const [method = '', target = ''] = line.split(' ', 2);
  const mark = target.indexOf('?');
  const found = table.match(method, mark < 0 ? target : target.slice(0, mark));
  if (found.kind !== 'route') {
    return 'allow' in found ? [found.kind, found.allow] : found.kind;
  }
  try {
    const message = found.route.decodeRequest({
      path: found.path,
      query: mark < 0 ? '' : target.slice(mark + 1),
      body: typeof request.body === 'string' ? Buffer.from(request.body) : request.body,
      contentType: request.contentType ?? (request.body === undefined ? undefined : 'application/json'),
    });
    return [found.route.method.name, toJson(found.route.method.input, message as Message)];
  } catch (error) {
    if (!(error instanceof RequestError)) {
      throw error;
    }
    return refusal(error);
  }
}

/** The reason, and each violation as `field rule`. */
export function refusal(error: RestRequestError): string[] {
  return [error.reason, ...error.violations.map((violation) => `${violation.field} ${violation.rule}`.trim())];
}
