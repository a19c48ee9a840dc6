import { createServer, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { until } from './wait.ts';

const bodyBytesMax = 16 * 1024 * 1024;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Takes traces over OTLP/HTTP, as protobuf or JSON, and keeps them for a test to look at. */
export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Whatever came, as it came: also what isn't taken apart here, events and links of spans for one. */
  readonly bodies: readonly Buffer[];
  waitForSpan(matches: (span: ReceivedSpan) => boolean, timeoutMs?: number): Promise<ReceivedSpan>;
  close(): Promise<void>;
}

export async function createOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => {
        bodies.push(body);
        const isJson = request.headers['content-type']?.includes('json') ?? false;
        if (request.url?.endsWith('/v1/traces')) spans.push(...(isJson ? spansFromJson(body) : spansFromBinary(body)));
        response.writeHead(200, { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' });
        response.end(isJson ? '{}' : '');
      })
      .catch((error: Error) => response.writeHead(400).end(error.message));
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    spans,
    bodies,
    waitForSpan: (matches, timeoutMs = 15_000) => until(() => spans.find(matches), { timeoutMs, what: 'A span' }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) throw new Error('too large');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

interface JsonAttribute {
  key: string;
  value: Record<string, unknown>;
}

function spansFromJson(body: Buffer): ReceivedSpan[] {
  type Scope = { spans?: (Omit<ReceivedSpan, 'attributes' | 'service'> & { attributes?: JsonAttribute[] })[] };
  type Resource = { resource?: { attributes?: JsonAttribute[] }; scopeSpans?: Scope[] };
  const request = JSON.parse(body.toString('utf8')) as { resourceSpans?: Resource[] };
  const record = (attributes: JsonAttribute[] = []) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
  return (request.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const service = record(resource?.attributes)['service.name'] ?? '';
    return (scopeSpans ?? []).flatMap(({ spans }) =>
      (spans ?? []).map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: Number(span.kind),
        service,
        attributes: record(span.attributes),
      })),
    );
  });
}

/** Field numbers of opentelemetry/proto/trace/v1/trace.proto, which is stable; no npm package ships its messages. */
function spansFromBinary(body: Uint8Array): ReceivedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const resource = messages(resourceSpans, 1)[0];
    const service = resource === undefined ? '' : (attributesOf(resource, 1)['service.name'] ?? '');
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        traceId: hex(messages(span, 1)[0]),
        spanId: hex(messages(span, 2)[0]),
        parentSpanId: hex(messages(span, 4)[0]),
        name: text(messages(span, 5)[0]),
        kind: varint(span, 6),
        service,
        attributes: attributesOf(span, 9),
      }));
  });
}

function attributesOf(message: Uint8Array, field: number): Record<string, string> {
  return Object.fromEntries(
    messages(message, field).map((pair) => [text(messages(pair, 1)[0]), attributeValue(messages(pair, 2)[0])]),
  );
}

function attributeValue(any: Uint8Array | undefined): string {
  if (any === undefined) return '';
  const reader = new BinaryReader(any);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) return reader.string();
    if (field === 2) return String(reader.bool());
    if (field === 3) return String(reader.int64());
    if (field === 4) return String(reader.double());
    reader.skip(wireType, field);
  }
  return '';
}

function messages(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted && wireType === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wireType, field);
  }
  return found;
}

function varint(message: Uint8Array, wanted: number): number {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted && wireType === WireType.Varint) return reader.uint32();
    reader.skip(wireType, field);
  }
  return 0;
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
}
