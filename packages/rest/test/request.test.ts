import type { DescMethod } from '@bufbuild/protobuf';
import { create, fromJson } from '@bufbuild/protobuf';
import t from 'tap';
import { createRouteTable, HttpRuleSchema, RestContractError, RestRequestError } from '../src/index.ts';
import { messageNamed, registry, serviceNamed } from './descriptors.ts';
import { createTestTable, transcode } from './table.ts';

const table = createTestTable();

const bodies: [line: string, body: string | undefined, expected: unknown][] = [
  // body: a field. What the path doesn't bind is in the query, but for the field of the body.
  [
    'POST /v1/shelves/1/books?bookId=b&validateOnly=true',
    '{"title":"T"}',
    ['CreateBook', { parent: 'shelves/1', bookId: 'b', validateOnly: true, book: { title: 'T' } }],
  ],
  ['POST /v1/shelves/1/books', undefined, ['CreateBook', { parent: 'shelves/1' }]],
  ['POST /v1/shelves/1/books', 'null', ['CreateBook', { parent: 'shelves/1' }]],
  ['POST /v1/shelves/1/books?book.title=x', '{}', ['INVALID_PARAMETER', 'book.title query.unknown']],
  [
    'POST /v1/shelves/1/books',
    '{"titel":"T","author":{"email":1}}',
    ['INVALID_BODY', 'book.titel json.unknown_field', 'book.author.email type'],
  ],
  // body: a list.
  ['PUT /v1/tags/7', '["a","b"]', ['SetTags', { id: '7', tags: ['a', 'b'] }]],
  ['PUT /v1/tags/7', '{"tags":["a"]}', ['INVALID_BODY', 'tags type']],
  ['PUT /v1/tags/7', '["a",1]', ['INVALID_BODY', 'tags[1] type']],
  // body: "*". There is no query parameter at all.
  ['POST /v1/loans/7:cancel', '{"reason":"r"}', ['CancelLoan', { id: '7', reason: 'r' }]],
  ['POST /v1/loans/7:cancel', undefined, ['CancelLoan', { id: '7' }]],
  ['POST /v1/loans/7:cancel?reason=r', '{}', ['INVALID_PARAMETER', 'reason query.unknown']],
  // The path wins; a body that repeats it must agree.
  ['POST /v1/loans/7:cancel', '{"id":"7"}', ['CancelLoan', { id: '7' }]],
  ['POST /v1/loans/7:cancel', '{"id":""}', ['CancelLoan', { id: '7' }]],
  ['POST /v1/loans/7:cancel', '{"id":"8"}', ['INVALID_PARAMETER', 'id path.conflict']],
  // No body: none is taken, but an empty object is let pass.
  ['GET /v1/notes/1', undefined, ['GetMessage', { messageId: '1' }]],
  ['GET /v1/notes/1', '{}', ['GetMessage', { messageId: '1' }]],
  ['GET /v1/notes/1', '{"userId":"x"}', ['INVALID_BODY', 'body.not_allowed']],
  ['DELETE /v1/shelves/1/books/2', '[]', ['INVALID_BODY', 'body.not_allowed']],
  ['POST /v1/library:close', '', ['CloseLibrary', {}]],
];

t.test('B-rest: body "*", a field, a list, none', async (t) => {
  for (const [line, body, expected] of bodies) {
    t.same(transcode(table, line, body === undefined ? {} : { body }), expected, `${line} ${body}`);
  }
});

const masks: [target: string, body: string, expected: unknown][] = [
  ['', '{"title":"T"}', { book: { title: 'T' }, mask: 'title' }],
  [
    '',
    '{"title":null,"author":{"full_name":"A","email":null}}',
    { book: { author: { fullName: 'A' } }, mask: 'title,author.fullName,author.email' },
  ],
  [
    '',
    '{"author":{},"tags":["x"],"labels":{"a":"b"},"publishTime":"2024-01-01T00:00:00Z"}',
    {
      book: { author: {}, tags: ['x'], labels: { a: 'b' }, publishTime: '2024-01-01T00:00:00Z' },
      mask: 'author,tags,labels,publishTime',
    },
  ],
  ['', '{"name":"shelves/1/books/2","pages":3}', { book: { pages: 3 }, mask: 'pages' }],
  ['?updateMask=title', '{"pages":3}', { book: { pages: 3 }, mask: 'title' }],
  ['?update_mask=title,author.fullName', '{}', { book: {}, mask: 'title,author.fullName' }],
];

t.test('B-rest: AIP-134: PATCH fills an unset update_mask from the fields of its body', async (t) => {
  for (const [query, body, { book, mask }] of masks as [string, string, { book: object; mask: string }][]) {
    t.same(
      transcode(table, `PATCH /v1/shelves/1/books/2${query}`, { body }),
      ['UpdateBook', { book: { name: 'shelves/1/books/2', ...book }, updateMask: mask }],
      `${query} ${body}`,
    );
  }
  t.same(transcode(table, 'PATCH /v1/shelves/1/books/2?updateMask=a&update_mask=b', { body: '{}' }), [
    'INVALID_PARAMETER',
    'updateMask query.duplicate',
  ]);
  t.same(transcode(table, 'PATCH /v1/shelves/1/books/2', { body: '{"name":"shelves/9/books/9"}' }), [
    'INVALID_PARAMETER',
    'book.name path.conflict',
  ]);
});

const mediaTypes: [contentType: string | undefined, body: string | undefined, isTaken: boolean][] = [
  ['application/json', '{}', true],
  ['Application/JSON; charset=UTF-8', '{}', true],
  ['application/json;charset="utf-8"', '{}', true],
  ['application/json; charset=latin1', '{}', false],
  ['application/json; charset=utf-8; x=y', '{}', false],
  ['application/jsonp', '{}', false],
  ['text/plain', '{}', false],
  ['text/plain', undefined, false],
  ['text/plain; application/json', '{}', false],
  ['application/x-www-form-urlencoded', '{}', false],
  ['multipart/form-data', '{}', false],
  ['application/xml', '{}', false],
  ['', '{}', false],
  ['application/json', undefined, true],
];

t.test('B-rest: V3.5.2: only JSON in UTF-8 is taken, and a form is refused even when it is empty', async (t) => {
  for (const line of ['POST /v1/loans/7:cancel', 'POST /v1/library:close']) {
    for (const [contentType, body, isTaken] of mediaTypes) {
      const request = {
        ...(body === undefined ? {} : { body }),
        ...(contentType === undefined ? {} : { contentType }),
      };
      const [first] = transcode(table, line, request) as string[];
      t.equal(first === 'UNSUPPORTED_MEDIA_TYPE', !isTaken, `${line} ${contentType} ${body}`);
    }
    const found = table.match('POST', line.slice(5));
    const input = {
      path: found.kind === 'route' ? found.path : { raw: [], decoded: [] },
      query: '',
      body: Buffer.from('{}'),
    };
    t.throws(() => found.kind === 'route' && found.route.decodeRequest(input), RestRequestError);
  }
  const vendor = createTestTable({ jsonTypes: ['application/json', 'application/vnd.example+json'] });
  t.same(transcode(vendor, 'PUT /v1/tags/7', { body: '[]', contentType: 'application/vnd.example+json' }), [
    'SetTags',
    { id: '7' },
  ]);
});

t.test('B-rest: raw bodies: HttpBody takes any type, and a bytes field takes the body for its signature', async (t) => {
  const body = Buffer.from([0xff, 0x00, 0x7b]);
  t.same(transcode(table, 'PUT /v1/files/a/b', { body, contentType: 'image/png' }), [
    'PutFile',
    { path: 'a/b', content: { contentType: 'image/png', data: '/wB7' } },
  ]);
  t.same(transcode(table, 'POST /v1/hooks?signature=s', { body, contentType: 'text/plain' }), [
    'ReceiveHook',
    { signature: 's', payload: '/wB7' },
  ]);
  const asJson = createTestTable({ isRawBody: () => false });
  t.same(transcode(asJson, 'POST /v1/hooks', { body: '"/wB7"' }), ['ReceiveHook', { payload: '/wB7' }]);
});

t.test('B-rest: an Any holds only the types of the registry', async (t) => {
  const typed = createTestTable({ registry });
  const note = '{"any":{"@type":"type.googleapis.com/example.v1.Note","text":"x"}}';
  const [name] = transcode(typed, 'POST /v1/everything', { body: '{"any":{}}' }) as string[];
  t.equal(name, 'PutEverything');
  const found = typed.match('POST', '/v1/everything');
  if (found.kind !== 'route') {
    throw new Error('no route');
  }
  const request = { path: found.path, query: '', body: Buffer.from(note), contentType: 'application/json' };
  t.match(found.route.decodeRequest(request), { any: { typeUrl: 'type.googleapis.com/example.v1.Note' } });
  t.same(transcode(typed, 'POST /v1/everything', { body: note.replace('Note', 'Nothing') }), [
    'INVALID_BODY',
    'any type',
  ]);
});

function responseOf(line: string, output: string, json: object, options = {}): unknown {
  const [method = '', path = ''] = line.split(' ');
  const found = createTestTable(options).match(method, path);
  if (found.kind !== 'route') {
    throw new Error(`no route ${line}`);
  }
  const response = found.route.encodeResponse(fromJson(messageNamed(output), json as never));
  return typeof response.body === 'string' ? JSON.parse(response.body) : response.body;
}

t.test('B-rest: answers: the message, response_body, raw bytes, defaults', async (t) => {
  t.same(responseOf('GET /v1/notes/1', 'Note', { text: 'x' }), { messageId: '', text: 'x' });
  t.same(responseOf('GET /v1/notes/1', 'Note', { text: 'x' }, { emitsDefaults: false }), { text: 'x' });
  t.same(responseOf('GET /v1/shelves/1/books', 'ListBooksResponse', {}), { books: [], nextPageToken: '' });
  t.same(responseOf('POST /v1/shelves/1/books', 'CreateBookResponse', { book: { title: 'T' } }), {
    name: '',
    title: 'T',
    tags: [],
    labels: {},
  });
  t.equal(responseOf('POST /v1/shelves/1/books', 'CreateBookResponse', {}), null);
  t.same(responseOf('PUT /v1/tags/7', 'SetTagsResponse', { tags: ['a'] }), ['a']);
  t.same(responseOf('PUT /v1/tags/7', 'SetTagsResponse', {}), []);
  const httpBody = registry.getMessage('google.api.HttpBody');
  const file = table.match('GET', '/v1/files/a');
  if (httpBody === undefined || file.kind !== 'route') {
    throw new Error('no file route');
  }
  t.same(
    file.route.encodeResponse(create(httpBody, { contentType: 'image/png', data: new Uint8Array([1, 2]) } as never)),
    {
      contentType: 'image/png',
      body: new Uint8Array([1, 2]),
    },
  );
  t.equal(file.route.encodeResponse(create(httpBody)).contentType, 'application/octet-stream');
});

t.test('B-rest: rules of a service configuration override annotations, the last one first', async (t) => {
  const rule = (selector: string, get: string) =>
    create(HttpRuleSchema, { selector, pattern: { case: 'get', value: get } });
  const configured = createRouteTable([serviceNamed('Messaging')], {
    rules: [
      rule('example.v1.Messaging.GetMessage', '/v1/old/{message_id}'),
      rule('example.v1.Messaging.GetMessage', '/v1/messages/{message_id}/{sub.subfield}'),
    ],
  });
  t.same(transcode(configured, 'GET /v1/messages/1/s'), ['GetMessage', { messageId: '1', sub: { subfield: 's' } }]);
  t.equal(transcode(configured, 'GET /v1/old/1'), 'notFound');
  t.same(transcode(configured, 'GET /v1/notes/1'), ['methodNotAllowed', 'OPTIONS, PATCH, PUT']);
});

const method = (name: string): DescMethod => {
  const found = [...serviceNamed('Library').methods, ...serviceNamed('Messaging').methods].find(
    (one) => one.name === name,
  );
  if (found === undefined) {
    throw new Error(`no method ${name}`);
  }
  return found;
};

const faulty: [why: string, name: string, rule: object][] = [
  ['a field that is not there', 'GetNamed', { get: '/v1/{nothing}' }],
  ['a repeated path variable', 'ListBooks', { get: '/v1/{kinds}' }],
  ['a message as path variable', 'ListBooks', { get: '/v1/{filter}' }],
  ['a well-known type as path variable', 'ListBooks', { get: '/v1/{filter.since}' }],
  ['a path variable in lowerCamelCase', 'GetMessage', { get: '/v1/{messageId}' }],
  ['a body that is not there', 'UpdateMessage', { post: '/v1/x', body: 'nothing' }],
  ['a body that is not at the top level', 'UpdateMessage', { post: '/v1/x', body: 'message.text' }],
  ['a response_body that is not there', 'GetMessage', { get: '/v1/x', responseBody: 'nothing' }],
  ['a field bound by path and body', 'UpdateMessage', { post: '/v1/{message_id}', body: 'message_id' }],
  ['a body on GET', 'GetMessage', { get: '/v1/x', body: '*' }],
  ['a stream', 'WatchNotes', { get: '/v1/x' }],
  ['no pattern', 'GetMessage', {}],
  ['a kind that is no method', 'GetMessage', { custom: { kind: 'get it', path: '/v1/x' } }],
  [
    'nested additional_bindings',
    'GetMessage',
    { get: '/v1/x', additionalBindings: [{ get: '/v1/y', additionalBindings: [{ get: '/v1/z' }] }] },
  ],
  ['the shape of another route', 'GetMessage', { get: '/v1/{name=messages/*}'.replace('name', 'message_id') }],
];

t.test('B-rest: a contract that can not be served is refused at start', async (t) => {
  for (const [why, name, rule] of faulty) {
    const desc = method(name);
    const configured = fromJson(HttpRuleSchema, { ...rule, selector: `${desc.parent.typeName}.${name}` } as never);
    t.throws(() => createRouteTable([desc.parent], { rules: [configured] }), RestContractError, why);
  }
  t.throws(
    () => createRouteTable([serviceNamed('Library')], { isRawBody: ({ name }) => name === 'SetTags' }),
    RestContractError,
  );
});
