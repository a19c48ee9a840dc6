import type { IncomingMessage } from 'node:http';
import { commonErrors } from '@strongroom/platform/errors';
import { DEFAULT_BODY_LIMIT_BYTES } from '@strongroom/platform/rpc';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Envelope of a gRPC-Web or Connect stream message: flags and length. */
const ENVELOPE_BYTES = 5;
/**
 * A body that nobody wants is read and thrown away for this long after its answer. Closing at once would reset the
 * connection, and with it the answer, before the client has seen why.
 */
const LINGER_MS = 2_000;

/** Bodies are read whole, as they are, up to the limit of the method that is called (S6.3, architecture.md). */
export function registerRequestBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const { match } = request.edge;
    const envelopeBytes = match?.kind === 'rpc' ? ENVELOPE_BYTES : 0;
    return readBody(payload, (match?.policy.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES) + envelopeBytes);
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete) return;
    raw.resume();
    const timer = setTimeout(() => raw.destroy(), LINGER_MS);
    raw.once('close', () => clearTimeout(timer));
  });
}

/** By events: leaving an async iterator early would destroy the connection before the refusal is sent. */
function readBody(payload: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(payload.headers['content-length'] ?? 0) > limitBytes) {
      reject(commonErrors.BODY_TOO_LARGE());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    payload.on('data', (chunk: Buffer) => {
      size += chunk.length;
      // Once over the limit nothing is kept, and the rest runs dry.
      if (size > limitBytes) reject(commonErrors.BODY_TOO_LARGE());
      else chunks.push(chunk);
    });
    payload.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    // The client went away in the middle.
    payload.once('error', (error) => reject(commonErrors.CANCELED({ cause: error })));
    payload.once('close', () => reject(commonErrors.CANCELED()));
  });
}
