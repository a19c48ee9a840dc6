import type { IncomingMessage } from 'node:http';
import { commonErrors, isServiceError } from '@strongroom/platform/errors';
import { DEFAULT_BODY_LIMIT_BYTES } from '@strongroom/platform/rpc';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Envelope of a gRPC-Web or Connect stream message: flags and length. */
const ENVELOPE_BYTES = 5;

/** Bodies are read whole, as they are, up to the limit of the method that is called (S6.3, architecture.md). */
export function registerRequestBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const { match } = request.edge;
    const limitBytes =
      (match?.policy.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES) + (match?.kind === 'rpc' ? ENVELOPE_BYTES : 0);
    return readBody(payload, limitBytes);
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    // The rest of a body that is too large isn't read: the connection goes with it.
    if (reply.statusCode === 413) reply.header('connection', 'close');
    return payload;
  });
}

async function readBody(payload: IncomingMessage, limitBytes: number): Promise<Buffer> {
  if (Number(payload.headers['content-length'] ?? 0) > limitBytes) throw commonErrors.BODY_TOO_LARGE();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of payload as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes) throw commonErrors.BODY_TOO_LARGE();
      chunks.push(chunk);
    }
  } catch (error) {
    if (isServiceError(error)) throw error;
    // The client went away in the middle.
    throw commonErrors.CANCELED({ cause: error });
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
}
