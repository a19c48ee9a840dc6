import type { ConnectError } from '@connectrpc/connect';
import { endStreamToJson, errorToJson } from '@connectrpc/connect/protocol-connect';
import { setTrailerStatus } from '@connectrpc/connect/protocol-grpc';
import type { RpcEncoding } from './protocol.ts';

/** An error in the words of the protocol that the caller speaks. */
export interface RpcErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Flag of the last envelope of a Connect stream (Connect protocol, End-Stream). */
const endStreamFlag = 0b10;
const envelopeHeadBytes = 5;

/**
 * Unary calls carry the catalogue's HTTP status. Streams and gRPC-Web have their errors inside a 200, but for 404: there
 * every client reads the HTTP status as "unimplemented", and so does anyone who looks from outside.
 */
export function rpcErrorFrom(error: ConnectError, status: number, encoding: RpcEncoding): RpcErrorAnswer {
  const json = encoding.isBinary ? 'proto' : 'json';
  switch (encoding.protocol) {
    case 'connect':
    case 'connect-get':
      return jsonAnswer(error, status);
    case 'connect-stream':
      if (status === 404) return jsonAnswer(error, status);
      return {
        status: 200,
        headers: { 'content-type': `application/connect+${json}` },
        body: endStream(error),
      };
    case 'grpc-web':
      return {
        status: status === 404 ? 404 : 200,
        headers: {
          'content-type': `application/grpc-web+${json}`,
          ...Object.fromEntries(setTrailerStatus(new Headers(), error)),
        },
        body: Buffer.alloc(0),
      };
  }
}

function jsonAnswer(error: ConnectError, status: number): RpcErrorAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: Buffer.from(JSON.stringify(errorToJson(error, undefined))),
  };
}

function endStream(error: ConnectError): Buffer {
  const json = Buffer.from(JSON.stringify(endStreamToJson(new Headers(), error, undefined)));
  const head = Buffer.alloc(envelopeHeadBytes);
  head.writeUInt8(endStreamFlag, 0);
  head.writeUInt32BE(json.length, 1);
  return Buffer.concat([head, json]);
}
