import { clone, createFileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { createOpenApiDocument, type OpenApiDocument } from '../src/index.ts';
import { descriptors, registry } from './descriptors.ts';
import { createTestTable } from './table.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document is walked by paths known to the test
type Walkable = any;

function documentOf(options: Partial<Parameters<typeof createOpenApiDocument>[0]> = {}): OpenApiDocument {
  return createOpenApiDocument({
    table: createTestTable(),
    registry,
    info: { title: 'Library', version: '1' },
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    describe: (method) => ({
      security: method.name.startsWith('Get') ? [] : [{ token: [] }],
      successStatus: method.name === 'CreateBook' ? 201 : 200,
      headers:
        method.name === 'CreateBook'
          ? [{ name: 'Idempotency-Key', description: 'Key.', isRequired: true, schema: { type: 'string' } }]
          : [],
    }),
    ...options,
  });
}

const document = documentOf() as Walkable;
const schemas = document.components.schemas;

t.test('B-openapi: the document is valid OpenAPI 3.1', async (t) => {
  const result = await new Validator().validate(structuredClone(document) as never);
  t.same(result.errors ?? [], []);
  t.ok(result.valid);
  t.equal(document.openapi, '3.1.0');
});

t.test('B-openapi: every route is in it and no other', async (t) => {
  const routes = createTestTable().routes.map((route) => `${route.httpMethod} ${route.method.name}`);
  const operations = Object.values(document.paths as Record<string, Walkable>).flatMap((item) =>
    Object.entries({ ...item, ...item['x-additional-operations'] } as Record<string, Walkable>)
      .filter(([key]) => !key.startsWith('x-'))
      .map(([key, { operationId }]) => `${key.toUpperCase()} ${operationId.replace(/^[^_]*_|_\d+$/g, '')}`),
  );
  t.same(operations.sort(), routes.sort());
  const ids = JSON.stringify(document).match(/"operationId":"[^"]*"/g) ?? [];
  t.equal(new Set(ids).size, ids.length);
});

t.test('B-openapi: templates are spelled out, one parameter a wildcard', async (t) => {
  t.ok(document.paths['/v1/shelves/{parent}/books'].post);
  t.ok(document.paths['/v1/shelves/{book.name}/books/{book.name2}'].patch);
  // The same shape under another name is the same path to OpenAPI.
  t.ok(document.paths['/v1/shelves/{book.name}/books/{book.name2}'].delete);
  t.ok(document.paths['/v1/loans/{id}:cancel'].post);
  t.match(document.paths['/v1/files/{path}'].get.parameters, [
    { name: 'path', in: 'path', required: true, 'x-multi-segment': true },
  ]);
  t.match(document.paths['/v1/typed/{int64Value}/{kind}/{boolValue}'].get.parameters, [
    { name: 'int64Value', schema: { format: 'int64' } },
    { name: 'kind', schema: { $ref: '#/components/schemas/example.v1.Kind' } },
    { name: 'boolValue', schema: { type: 'boolean' } },
  ]);
  t.match(document.paths['/v1/any/{name}']['x-additional-operations']['*'], { operationId: 'Library_AnyVerb' });
});

t.test('B-openapi: query parameters are what the transcoder binds', async (t) => {
  const names = (path: string) =>
    document.paths[path].get.parameters.filter((p: Walkable) => p.in === 'query').map((p: Walkable) => p.name);
  t.same(names('/v1/shelves/{parent}/books'), [
    'pageSize',
    'pageToken',
    'filter.author',
    'filter.youngerThan',
    'filter.since',
    'filter.years',
    'kinds',
  ]);
  // A message in itself ends at its first return.
  t.same(names('/v1/notes/{messageId}'), ['revision', 'sub.subfield', 'userId']);
  const everything = names('/v1/everything');
  t.ok(everything.includes('timestamp') && everything.includes('boxed') && everything.includes('choiceAuthor.email'));
  t.notOk(everything.some((name: string) => /^(?:struct|stringMap|children|any|value)/.test(name)));
  t.same(
    document.paths['/v1/loans/{id}:cancel'].post.parameters.map((p: Walkable) => p.in),
    ['path'],
  );
});

t.test("B-openapi: comments are descriptions, buf.validate's rules are limits", async (t) => {
  t.match(schemas['example.v1.Book'], {
    description: 'A book.',
    properties: {
      name: { description: 'Resource name.', type: 'string' },
      title: { description: 'Its title.', minLength: 1, maxLength: 120 },
      tags: { type: 'array', maxItems: 10, uniqueItems: true, items: { type: 'string', maxLength: 20 } },
      labels: { type: 'object', maxProperties: 8, additionalProperties: { type: 'string' } },
      publishTime: { type: 'string', format: 'date-time' },
      pages: { minimum: 1, exclusiveMaximum: 10000 },
    },
    required: ['title'],
    additionalProperties: false,
  });
  t.equal(schemas['example.v1.Author'].properties.email.format, 'email');
  t.same(schemas['example.v1.Kind'].enum, ['KIND_UNSPECIFIED', 'KIND_NOVEL', 'KIND_ATLAS']);
  const create = document.paths['/v1/shelves/{parent}/books'].post;
  t.equal(create.summary, 'Creates a book.');
  t.equal(create.description, 'Creates a book.\n\nThe answer is the book itself.');
  t.equal(create.requestBody.required, true);
  t.match(document.tags, [{ name: 'Messaging', description: /examples of http\.proto/ }, { name: 'Library' }]);
});

t.test('B-openapi: security, status, headers, deprecation and problems', async (t) => {
  const create = document.paths['/v1/shelves/{parent}/books'].post;
  t.same(create.security, [{ token: [] }]);
  t.same(document.paths['/v1/notes/latest'].get.security, []);
  t.match(create.responses, {
    201: { content: { 'application/json': { schema: { $ref: '#/components/schemas/example.v1.Book' } } } },
    default: { $ref: '#/components/responses/Problem' },
  });
  t.match(create.parameters, [
    { in: 'path' },
    { in: 'query' },
    { in: 'query' },
    { in: 'header', name: 'Idempotency-Key', required: true },
  ]);
  t.equal(document.paths['/v1/shelves/{book.name}/books/{book.name2}'].delete.deprecated, true);
  t.ok(document.components.responses.Problem.content['application/problem+json']);
  t.same(document.paths['/v1/hooks'].post.requestBody, { required: true, content: { '*/*': { schema: {} } } });
  t.same(
    Object.keys(document.paths['/v1/loans/{id}:cancel'].post.requestBody.content['application/json'].schema.properties),
    ['reason'],
  );
});

t.test('B-openapi: descriptors without comments or rules still give a document', async (t) => {
  const bare = clone(FileDescriptorSetSchema, descriptors);
  for (const file of bare.file) {
    delete file.sourceCodeInfo;
  }
  const plain = documentOf({ registry: createFileRegistry(bare) }) as Walkable;
  t.equal(plain.components.schemas['example.v1.Book'].description, undefined);
  t.same(Object.keys(plain.paths), Object.keys(document.paths));
  t.throws(() => documentOf({ registry: createFileRegistry() }), /hold no example\.v1/);
});
