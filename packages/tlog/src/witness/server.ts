import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { NOTE_BYTES_MAX } from '../note.ts';
import { createAddCheckpoint, type WitnessDeps } from './add-checkpoint.ts';
import { originHash } from './store.ts';

/** A checkpoint with 100 signatures and 63 proof lines stays far below. */
const REQUEST_BYTES_MAX = NOTE_BYTES_MAX;
const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 256;
/** C2SP tlog-witness, "add-checkpoint": how a 409 that carries the witness's size is told from one that does not. */
const SIZE_CONTENT_TYPE = 'text/x.tlog.size';
const TEXT_CONTENT_TYPE = 'text/plain; charset=utf-8';

export interface WitnessServerDeps extends WitnessDeps {
  /** Told of every request that was answered and of every error; never of contents. */
  readonly onAnswer: (answer: { method: string; path: string; status: number; error?: unknown }) => void;
}

/**
 * The witness over HTTP (not listening yet): POST /add-checkpoint, GET /<hex SHA-256 of the origin>/checkpoint with the
 * latest cosigned checkpoint, GET /livez.
 */
export function createWitnessServer(deps: WitnessServerDeps): Server {
  const addCheckpoint = createAddCheckpoint(deps);
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    async (request, response) => {
      const method = request.method ?? '';
      const path = (request.url ?? '').slice(0, 256);
      try {
        const answer = await route(method, path, request);
        respond(response, answer);
        deps.onAnswer({ method, path, status: answer.status });
      } catch (error) {
        respond(response, { status: 500, body: 'the witness cannot answer\n' });
        deps.onAnswer({ method, path, status: 500, error });
      }
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  return server;

  async function route(method: string, path: string, request: IncomingMessage): Promise<Answer> {
    if (path === '/livez') return { status: 200, body: 'ok\n' };
    if (path === '/add-checkpoint') {
      if (method !== 'POST') return { status: 405, body: 'POST only\n' };
      const body = await readBody(request);
      return body === undefined ? { status: 413, body: 'the request is too large\n' } : addCheckpoint(body);
    }
    const monitored = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path)?.[1];
    const key = (await deps.readLogKeys()).find(({ name }) => originHash(name) === monitored);
    const latest = key && (await deps.store.latest(key.name));
    return latest ? { status: 200, body: latest.note } : { status: 404, body: 'not found\n' };
  }
}

/** Its answers are text for programs: no browser is to guess at them, frame them or run anything of them. */
const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

type Answer = { status: number; body: string } | { status: number; size: number };

function respond(response: ServerResponse, answer: Answer): void {
  const isSize = 'size' in answer;
  // A refused upload is not read to its end: the connection cannot be used again.
  const headers = answer.status === 413 ? { connection: 'close' } : {};
  response.writeHead(answer.status, {
    ...SECURITY_HEADERS,
    'content-type': isSize ? SIZE_CONTENT_TYPE : TEXT_CONTENT_TYPE,
    ...headers,
  });
  response.end(isSize ? `${answer.size}\n` : answer.body);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > REQUEST_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
