import t from 'tap';
import { createRouteTable } from '../src/index.ts';
import { serviceNamed } from './descriptors.ts';
import { createTestTable, transcode } from './table.ts';

const table = createTestTable();

t.test("B-rest: http.proto's own examples", async (t) => {
  const note = { body: '{"text":"Hi!"}' };
  t.same(transcode(table, 'GET /v1/messages/123456'), ['GetNamed', { name: 'messages/123456' }]);
  t.same(transcode(table, 'GET /v1/notes/123456'), ['GetMessage', { messageId: '123456' }]);
  t.same(transcode(table, 'GET /v1/notes/123456?revision=2&sub.subfield=foo'), [
    'GetMessage',
    { messageId: '123456', revision: '2', sub: { subfield: 'foo' } },
  ]);
  t.same(transcode(table, 'GET /v1/users/me/notes/123456'), ['GetMessage', { userId: 'me', messageId: '123456' }]);
  t.same(transcode(table, 'PATCH /v1/notes/123456', note), [
    'UpdateMessage',
    { messageId: '123456', message: { text: 'Hi!' } },
  ]);
  t.same(transcode(table, 'PUT /v1/notes/123456', note), ['ReplaceMessage', { messageId: '123456', text: 'Hi!' }]);
});

const matches: [line: string, expected: unknown][] = [
  // A literal stands before a variable, a variable before "**".
  ['GET /v1/notes/latest', ['GetShelfLiteral', {}]],
  ['GET /v1/notes/latest2', ['GetMessage', { messageId: 'latest2' }]],
  // …but only where it has a rule for the method.
  ['PUT /v1/notes/latest', ['ReplaceMessage', { messageId: 'latest' }]],
  // Verbs: the text after the last colon of the last segment, as it came.
  ['POST /v1/loans/7:cancel', ['CancelLoan', { id: '7' }]],
  ['POST /v1/loans/urn:x:7:cancel', ['CancelLoan', { id: 'urn:x:7' }]],
  ['POST /v1/loans/7', 'notFound'],
  ['POST /v1/loans/7:Cancel', 'notFound'],
  ['POST /v1/loans/7%3Acancel', 'notFound'],
  ['POST /v1/loans/:cancel', 'notFound'],
  ['POST /v1/loans:cancel', 'notFound'],
  ['POST /v1/library:close', ['CloseLibrary', {}]],
  ['POST /v1/library', 'notFound'],
  ['GET /v1/notes/a:b', ['GetMessage', { messageId: 'a:b' }]],
  ['GET /v1/notes/a:cancel', ['GetMessage', { messageId: 'a:cancel' }]],
  // "**" takes zero or more segments.
  ['GET /v1/files', ['GetFile', {}]],
  ['GET /v1/files/', ['GetFile', {}]],
  ['GET /v1/files/a', ['GetFile', { path: 'a' }]],
  ['GET /v1/files/a/b//c', ['GetFile', { path: 'a/b//c' }]],
  ['POST /v1/files/a/b:purge', ['PurgeFiles', { path: 'a/b' }]],
  ['POST /v1/files:purge', ['PurgeFiles', {}]],
  ['GET /v1/files/a:purge', ['GetFile', { path: 'a:purge' }]],
  // Single segments are decoded whole, multi-segment variables but for %2F and %2f; both once.
  ['GET /v1/notes/a%2Fb', ['GetMessage', { messageId: 'a/b' }]],
  ['GET /v1/notes/a%2fb%20%C3%A9', ['GetMessage', { messageId: 'a/b é' }]],
  ['GET /v1/notes/a+b', ['GetMessage', { messageId: 'a+b' }]],
  ['GET /v1/notes/%2561', ['GetMessage', { messageId: '%61' }]],
  ['GET /v1/notes/%252e%252e', ['GetMessage', { messageId: '%2e%2e' }]],
  ['GET /v1/notes/%2500', ['GetMessage', { messageId: '%00' }]],
  ['GET /v1/files/a%2Fb/c%2fd%20e', ['GetFile', { path: 'a%2Fb/c%2fd e' }]],
  ['GET /v1/messages/a%2Fb%40c', ['GetNamed', { name: 'messages/a%2Fb@c' }]],
  // A literal matches in any spelling (RFC 3986, 6.2.2.2), but case counts.
  ['GET /v1/%6eotes/1', ['GetMessage', { messageId: '1' }]],
  ['GET /v1/Notes/1', 'notFound'],
  // Empty and dot segments match nothing.
  ['GET /v1/notes/', 'notFound'],
  ['GET /v1/notes//', 'notFound'],
  ['GET /v1//notes/1', 'notFound'],
  ['GET //v1/notes/1', 'notFound'],
  ['GET /v1/notes/1/', 'notFound'],
  ['GET /v1/notes/.', 'notFound'],
  ['GET /v1/notes/..', 'notFound'],
  ['GET /v1/notes/%2e%2E', 'notFound'],
  ['GET /v1/files/a/../b', 'notFound'],
  ['GET /v1/users/../notes/latest', 'notFound'],
  [`GET /v1/files/${'a/'.repeat(100)}`, 'notFound'],
  // What can't be decoded.
  ['GET /v1/notes/%', 'malformed'],
  ['GET /v1/notes/%zz', 'malformed'],
  ['GET /v1/notes/%ff', 'malformed'],
  ['GET /v1/notes/%c0%ae', 'malformed'],
  ['GET /v1/notes/%ed%a0%80', 'malformed'],
  ['GET /v1/files/a%2F%ff', 'malformed'],
  ['GET /v1/notes/\u00e9', 'malformed'],
  ['GET v1/notes/1', 'malformed'],
  ['GET *', 'malformed'],
  ['GET http://host/v1/notes/1', 'malformed'],
];

t.test('B-rest: matching and percent-decoding', async (t) => {
  for (const [line, expected] of matches) {
    const request = /^(?:PUT|POST)/.test(line) ? { body: '{}' } : {};
    t.same(transcode(table, line, request), expected, line);
  }
});

const methods: [line: string, expected: unknown][] = [
  ['DELETE /v1/notes/1', ['methodNotAllowed', 'GET, HEAD, OPTIONS, PATCH, PUT']],
  ['TRACE /v1/notes/1', ['methodNotAllowed', 'GET, HEAD, OPTIONS, PATCH, PUT']],
  ['get /v1/notes/1', ['methodNotAllowed', 'GET, HEAD, OPTIONS, PATCH, PUT']],
  ['DELETE /v1/notes/latest', ['methodNotAllowed', 'GET, HEAD, OPTIONS, PATCH, PUT']],
  ['GET /v1/loans/7:cancel', ['methodNotAllowed', 'OPTIONS, POST']],
  ['GET /v1/nothing', 'notFound'],
  ['TRACE /v1/nothing', 'notFound'],
  ['HEAD /v1/notes/1', ['GetMessage', { messageId: '1' }]],
  ['HEAD /v1/loans/7:cancel', ['methodNotAllowed', 'OPTIONS, POST']],
  ['HEAD /v1/probe/x', ['ProbeBook', { name: 'x' }]],
  ['GET /v1/probe/x', ['methodNotAllowed', 'HEAD, OPTIONS']],
  ['OPTIONS /v1/notes/1', ['options', 'GET, HEAD, OPTIONS, PATCH, PUT']],
  ['OPTIONS /v1/nothing', 'notFound'],
  ['DELETE /v1/any/x', ['AnyVerb', { name: 'x' }]],
  ['OPTIONS /v1/any/x', ['AnyVerb', { name: 'x' }]],
  ['BREW /v1/any/x', ['AnyVerb', { name: 'x' }]],
];

t.test('B-rest: 404, 405 with Allow, HEAD, OPTIONS, custom kinds', async (t) => {
  for (const [line, expected] of methods) {
    t.same(transcode(table, line), expected, line);
  }
});

t.test(
  'B-rest: reserved characters stay encoded in multi-segment variables when the API is configured so',
  async (t) => {
    const reserved = createRouteTable([serviceNamed('Library')], { multiSegmentDecoding: 'except-reserved' });
    t.same(transcode(reserved, 'GET /v1/files/a%2Fb/%40%20%21%5Bc'), ['GetFile', { path: 'a%2Fb/%40 %21%5Bc' }]);
  },
);

t.test('B-rest: path variables of every primitive type', async (t) => {
  t.same(transcode(table, 'GET /v1/typed/9223372036854775807/KIND_ATLAS/true'), [
    'Typed',
    { int64Value: '9223372036854775807', kind: 'KIND_ATLAS', boolValue: true },
  ]);
  t.same(transcode(table, 'GET /v1/typed/9223372036854775808/atlas/1'), [
    'INVALID_PARAMETER',
    'int64Value type',
    'kind type',
    'boolValue type',
  ]);
});
