import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createFileRegistry, type DescService, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createRpcServer, type RpcRoute } from '@strongroom/platform/rpc';
import { createLogger, createMetrics } from '@strongroom/platform/telemetry';
import t from 'tap';
import { createServiceTarget } from '../src/clients.ts';
import { closeTestRedis, handler, startGateway, startMesh } from './fixture.ts';

const descriptors = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(import.meta.dirname, 'gen', 'fixture.binpb'))),
);
const serviceOf = (version: string) =>
  descriptors.getService(`strongroom.fixture.${version}.NotesService`) as DescService;
const route = (version: string, implementation: object) =>
  ({ service: serviceOf(version), implementation }) as unknown as RpcRoute;

const logger = createLogger({ name: 'notes', level: 'silent' });
const metrics = createMetrics({ name: 'notes', processMetrics: false });
const notes = await createRpcServer({
  name: 'notes',
  logger,
  routes: [
    route('v1', { getNote: handler(() => ({ text: 'old' })), getNumbered: handler(() => ({ text: 'numbered' })) }),
    route('v2', { getNote: handler(() => ({ title: 'new', paragraphs: ['a'] })) }),
  ],
});
await notes.listen({ host: '127.0.0.1', port: 0 });
const url = `http://127.0.0.1:${(notes.server.address() as AddressInfo).port}`;
const targets = ['v1', 'v2'].map((version) =>
  createServiceTarget({ name: 'notes', service: serviceOf(version), url, streamsMax: 1, logger, metrics }),
);
const mesh = await startMesh({});
const gateway = await startGateway(mesh, {
  targets: () => targets,
  descriptors,
  variables: { PUBLIC_URL: 'https://pay.example' },
});
t.teardown(async () => {
  await gateway.close();
  await Promise.all(targets.map((target) => target.close()));
  await notes.close();
  await mesh.close();
  await closeTestRedis();
});

const get = async (path: string, accept?: string) => {
  const answer = await fetch(`${gateway.url}${path}`, { headers: accept === undefined ? {} : { accept } });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> };
};

const versions: [path: string, accept: string | undefined, status: number, body: object][] = [
  ['/api/v1/notes/1', undefined, 200, { text: 'old' }],
  ['/api/v2/notes/1', undefined, 200, { title: 'new', paragraphs: ['a'] }],
  ['/api/notes/1', 'application/vnd.api+json; version=1', 200, { text: 'old' }],
  ['/api/notes/1', 'application/vnd.api+json;version=2', 200, { title: 'new', paragraphs: ['a'] }],
  ['/api/notes/1', 'text/html, application/vnd.api+json; q=0.9; version="2"', 200, { title: 'new', paragraphs: ['a'] }],
  ['/api/v2/notes/1', 'application/vnd.api+json; version=2', 200, { title: 'new', paragraphs: ['a'] }],
  ['/api/v1/notes/1', 'application/json', 200, { text: 'old' }],
  ['/api/v1/notes/1', 'application/vnd.api+json; version=2', 406, { code: 'VERSION_NOT_SUPPORTED' }],
  ['/api/notes/1', 'application/vnd.api+json; version=3', 406, { code: 'VERSION_NOT_SUPPORTED' }],
  ['/api/notes/1', 'application/vnd.api+json', 404, { code: 'ROUTE_NOT_FOUND' }],
  ['/api/notes/1', undefined, 404, { code: 'ROUTE_NOT_FOUND' }],
  ['/api/nothing', 'application/vnd.api+json; version=1', 404, { code: 'ROUTE_NOT_FOUND' }],
  ['/api/v3/notes/1', undefined, 404, { code: 'ROUTE_NOT_FOUND' }],
  ['/api/numbered/1', 'application/vnd.api+json; version=2', 404, { code: 'ROUTE_NOT_FOUND' }],
];

t.test('S6.4: two versions side by side, by path and by header', async (t) => {
  for (const [path, accept, status, body] of versions) {
    const answer = await get(path, accept);
    t.equal(answer.status, status, `${path} ${accept}`);
    t.match(answer.body, body, `${path} ${accept}`);
  }
});

t.test('S6.4: a deprecated method says since when, until when, and where to read about it', async (t) => {
  const answer = await get('/api/v1/numbered/1');
  t.equal(answer.status, 200);
  // RFC 9745: a structured date; RFC 8594: an HTTP date.
  t.equal(answer.headers.get('deprecation'), `@${Date.UTC(2026, 0, 1) / 1000}`);
  t.equal(answer.headers.get('sunset'), 'Wed, 30 Jun 2027 00:00:00 GMT');
  t.equal(
    answer.headers.get('link'),
    '<https://pay.example/reference/>; rel="deprecation"; type="text/html", <https://pay.example/reference/>; rel="sunset"; type="text/html"',
  );
  t.equal(await gateway.metrics.value('http_deprecated_requests_total'), 1);
  const rpc = await fetch(`${gateway.url}/strongroom.fixture.v1.NotesService/GetNumbered`, {
    method: 'POST',
    body: '{"id":"1"}',
    headers: { 'content-type': 'application/json' },
  });
  t.equal(rpc.headers.get('deprecation'), answer.headers.get('deprecation'), 'by RPC too');
  t.same(await rpc.json(), { text: 'numbered' });
  const current = await get('/api/v1/notes/1');
  for (const name of ['deprecation', 'sunset', 'link']) t.equal(current.headers.get(name), null);
});

t.test('S6.4: B-openapi: both versions are in the document, the deprecated method is marked', async (t) => {
  const { body } = await get('/openapi.json');
  const paths = body['paths'] as Record<string, { get: { deprecated?: boolean; 'x-sunset'?: string } }>;
  t.same(Object.keys(paths), ['/api/v1/notes/{id}', '/api/v1/numbered/{id}', '/api/v2/notes/{id}']);
  t.match(paths['/api/v1/numbered/{id}']?.get, { deprecated: true, 'x-sunset': '2027-06-30' });
  t.equal(paths['/api/v1/notes/{id}']?.get.deprecated, undefined);
});
