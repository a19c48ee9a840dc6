import type { DescMessage, JsonValue, Message } from '@bufbuild/protobuf';
import { fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import t from 'tap';
import { RestRequestError } from '../src/index.ts';
import { JsonCursor } from '../src/json-cursor.ts';
import { messageNamed } from './descriptors.ts';
import { createTestTable, refusal, transcode } from './table.ts';

const table = createTestTable();
const everything = messageNamed('Everything');
const line = 'POST /v1/everything';

function send(body: string | Uint8Array): unknown {
  return transcode(table, line, { body });
}

/** Bodies that protobuf-es, the oracle, takes too: the two must agree on the message. */
const accepted = [
  '{}',
  ' \t\r\n{ \n} ',
  '{"doubleValue":1.5,"floatValue":-2.5e-3,"int32Value":-2147483648,"int64Value":"-9223372036854775808"}',
  '{"doubleValue":"NaN","floatValue":"Infinity","uint32Value":4294967295,"uint64Value":"18446744073709551615"}',
  '{"int32Value":1.0,"int64Value":12,"sint32Value":1e3,"fixed32Value":"7","sfixed64Value":"7"}',
  '{"boolValue":true,"stringValue":"\\u00e9\\ud83d\\ude00\\n\\"/\\/","bytesValue":"-_8","kind":"KIND_ATLAS"}',
  '{"kind":2,"optionalString":"","textLong":"9007199254740993"}',
  '{"string_value":"by its name in the .proto"}',
  '{"child":{"child":{"stringValue":"x"}},"children":[{},{"int32Value":1}]}',
  '{"doubles":[1,"2",-0.5],"longs":["1",2],"strings":["",""],"blobs":["AA=="],"kinds":["KIND_NOVEL",0]}',
  '{"times":["2024-02-29T23:59:59.123456789Z","2024-01-01T00:00:00+01:30"],"boxed":["a",""]}',
  '{"stringMap":{"":"empty","a b":"c"},"intMap":{"-1":"5"},"boolMap":{"true":"KIND_NOVEL"}}',
  '{"childMap":{"a":{"stringValue":"x"}},"durationMap":{"18446744073709551615":"-1.500s"}}',
  '{"choiceText":""}',
  '{"choiceNumber":0}',
  '{"choiceAuthor":{}}',
  '{"choiceBoxed":false}',
  '{"choiceNull":null}',
  '{"choiceKind":"KIND_UNSPECIFIED"}',
  '{"timestamp":"9999-12-31T23:59:59.999999999Z","duration":"315576000000s","mask":"a,b.cD"}',
  '{"struct":{"a":[1,"b",null,true,{"c":{}}]},"value":null,"list":[[],{},null]}',
  '{"value":{"a":[1]}}',
  '{"any":{},"empty":{}}',
  '{"doubleBox":1,"floatBox":2,"int64Box":"3","uint64Box":"4","int32Box":5,"uint32Box":6}',
  '{"boolBox":false,"stringBox":"","bytesBox":""}',
  // null is absence, for every kind of field.
  '{"stringValue":null,"int64Value":null,"kind":null,"child":null,"strings":null,"stringMap":null,"timestamp":null}',
  '{"choiceText":null,"choiceNumber":3}',
];

t.test('B-rest: JSON bodies give the same message as the reference decoder', async (t) => {
  for (const body of accepted) {
    const expected = fromJson(everything, JSON.parse(body) as JsonValue);
    t.same(send(body), ['PutEverything', toJson(everything, expected)], body);
  }
});

/** Where we keep what the reference loses or refuses. */
const exact: [body: string, expected: object][] = [
  ['{"int64Value":9007199254740993}', { int64Value: '9007199254740993' }],
  [
    '{"int64Value":1234567890123456789,"longs":[9223372036854775807]}',
    { int64Value: '1234567890123456789', longs: ['9223372036854775807'] },
  ],
  ['{"uint64Value":1.8446744073709551615e19}', { uint64Value: '18446744073709551615' }],
  ['{"int64Value":"1e3"}', { int64Value: '1000' }],
];

t.test('B-rest: integers of 64 bits keep every digit', async (t) => {
  for (const [body, expected] of exact) {
    t.same(send(body), ['PutEverything', expected], body);
  }
});

const syntax = [
  '{',
  '}',
  '[',
  '{]',
  '{"a"}',
  '{"stringValue":}',
  '{"stringValue":"x",}',
  '{,"stringValue":"x"}',
  "{'stringValue':'x'}",
  '{stringValue:"x"}',
  '{"stringValue":"x"} x',
  '{"stringValue":"x"}{}',
  '{"stringValue":"x"',
  '{"stringValue":"x',
  '{"stringValue":"x\\',
  '{"stringValue":"\\x"}',
  '{"stringValue":"\\u12g4"}',
  '{"stringValue":"a\nb"}',
  '{"stringValue":"a\tb\\n"}',
  '{"doubleValue":01}',
  '{"doubleValue":1.}',
  '{"doubleValue":.5}',
  '{"doubleValue":+1}',
  '{"doubleValue":0x1}',
  '{"doubleValue":NaN}',
  '{"doubleValue":Infinity}',
  '{"boolValue":tru}',
  '{"boolValue":truely}',
  '{"boolValue":True}',
  '{"stringValue":undefined}',
  '{"strings":["a",]}',
  '{"strings":["a" "b"]}',
  '{"stringValue":"x"/* */}',
  '{"stringValue"\u00a0:"x"}',
  '\u{feff}{}',
  '   ',
];

t.test('B-rest: a body that is not JSON is refused', async (t) => {
  for (const body of syntax) {
    const [reason, violation] = send(body) as string[];
    t.equal(reason, 'MALFORMED_BODY', JSON.stringify(body));
    t.match(violation, /json\.syntax$/, JSON.stringify(body));
  }
});

const refused: [body: string, reason: string, ...violations: string[]][] = [
  // Other JSON than the message's.
  ['[]', 'INVALID_BODY', 'type'],
  ['null', 'INVALID_BODY', 'type'],
  ['"x"', 'INVALID_BODY', 'type'],
  ['1', 'INVALID_BODY', 'type'],
  ['{"nothing":1}', 'INVALID_BODY', 'nothing json.unknown_field'],
  ['{"StringValue":""}', 'INVALID_BODY', 'StringValue json.unknown_field'],
  ['{"child":{"children":[{},{"x":[1,{"y":2}]}]}}', 'INVALID_BODY', 'child.children[1].x json.unknown_field'],
  ['{"stringValue":1}', 'INVALID_BODY', 'stringValue type'],
  ['{"boolValue":"true"}', 'INVALID_BODY', 'boolValue type'],
  ['{"boolValue":1}', 'INVALID_BODY', 'boolValue type'],
  ['{"int32Value":1.5}', 'INVALID_BODY', 'int32Value type'],
  ['{"int32Value":true}', 'INVALID_BODY', 'int32Value type'],
  ['{"int32Value":""}', 'INVALID_BODY', 'int32Value type'],
  ['{"int32Value":" 1"}', 'INVALID_BODY', 'int32Value type'],
  ['{"int32Value":"0x1"}', 'INVALID_BODY', 'int32Value type'],
  ['{"int32Value":2147483648}', 'INVALID_BODY', 'int32Value type'],
  ['{"uint32Value":-1}', 'INVALID_BODY', 'uint32Value type'],
  ['{"int64Value":9223372036854775808}', 'INVALID_BODY', 'int64Value type'],
  ['{"uint64Value":-1}', 'INVALID_BODY', 'uint64Value type'],
  ['{"int64Value":1e400}', 'INVALID_BODY', 'int64Value type'],
  ['{"doubleValue":1e400}', 'INVALID_BODY', 'doubleValue type'],
  ['{"floatValue":1e39}', 'INVALID_BODY', 'floatValue type'],
  ['{"bytesValue":"a"}', 'INVALID_BODY', 'bytesValue type'],
  ['{"bytesValue":"AA AA"}', 'INVALID_BODY', 'bytesValue type'],
  ['{"kind":"novel"}', 'INVALID_BODY', 'kind type'],
  ['{"kind":1.5}', 'INVALID_BODY', 'kind type'],
  ['{"child":[]}', 'INVALID_BODY', 'child type'],
  ['{"strings":"a"}', 'INVALID_BODY', 'strings type'],
  ['{"strings":{"0":"a"}}', 'INVALID_BODY', 'strings type'],
  ['{"strings":["a",null,1]}', 'INVALID_BODY', 'strings[1] type', 'strings[2] type'],
  ['{"stringMap":[]}', 'INVALID_BODY', 'stringMap type'],
  ['{"stringMap":{"a":null}}', 'INVALID_BODY', 'stringMap.a type'],
  ['{"intMap":{"x":1}}', 'INVALID_BODY', 'intMap.x type'],
  ['{"boolMap":{"1":"KIND_NOVEL"}}', 'INVALID_BODY', 'boolMap.1 type'],
  ['{"timestamp":"2024-02-30T00:00:00Z"}', 'INVALID_BODY', 'timestamp type'],
  ['{"timestamp":0}', 'INVALID_BODY', 'timestamp type'],
  ['{"duration":"1"}', 'INVALID_BODY', 'duration type'],
  ['{"struct":[]}', 'INVALID_BODY', 'struct type'],
  ['{"list":{}}', 'INVALID_BODY', 'list type'],
  ['{"value":1e999}', 'INVALID_BODY', 'value type'],
  ['{"any":{"@type":"type.googleapis.com/example.v1.Note","text":"x"}}', 'INVALID_BODY', 'any type'],
  ['{"choiceNull":0}', 'INVALID_BODY', 'choiceNull type'],
  ['{"choiceText":"a","choiceNumber":1}', 'INVALID_BODY', 'choiceNumber oneof'],
  ['{"choiceAuthor":{},"choiceText":"a"}', 'INVALID_BODY', 'choiceText oneof'],
  // Several faults are told at once, each at its place.
  [
    '{"a":1,"stringValue":2,"child":{"int32Value":"x"}}',
    'INVALID_BODY',
    'a json.unknown_field',
    'stringValue type',
    'child.int32Value type',
  ],
  // Duplicates: by text, by escape, by the two names of one field, in maps by value, in free JSON, in unknown fields.
  ['{"stringValue":"a","stringValue":"a"}', 'MALFORMED_BODY', 'stringValue json.duplicate_key'],
  ['{"stringValue":"a","string\\u0056alue":"b"}', 'MALFORMED_BODY', 'stringValue json.duplicate_key'],
  ['{"stringValue":"a","string_value":"b"}', 'MALFORMED_BODY', 'string_value json.duplicate_key'],
  ['{"stringValue":null,"stringValue":"b"}', 'MALFORMED_BODY', 'stringValue json.duplicate_key'],
  ['{"stringMap":{"a":"1","a":"2"}}', 'MALFORMED_BODY', 'stringMap.a json.duplicate_key'],
  ['{"intMap":{"1":"1","1.0":"2"}}', 'MALFORMED_BODY', 'intMap.1.0 json.duplicate_key'],
  ['{"struct":{"a":{"b":1,"b":1}}}', 'MALFORMED_BODY', 'struct.a.b json.duplicate_key'],
  ['{"x":1,"x":2}', 'MALFORMED_BODY', 'x json.duplicate_key'],
  // Keys that reach a prototype, wherever they stand and however they are spelled.
  ['{"__proto__":{"x":1}}', 'MALFORMED_BODY', 'json.forbidden_key'],
  ['{"\\u005f_proto__":{"x":1}}', 'MALFORMED_BODY', 'json.forbidden_key'],
  ['{"child":{"constructor":{}}}', 'MALFORMED_BODY', 'child json.forbidden_key'],
  ['{"stringMap":{"__proto__":"x"}}', 'MALFORMED_BODY', 'stringMap json.forbidden_key'],
  ['{"struct":{"a":{"prototype":1}}}', 'MALFORMED_BODY', 'struct.a json.forbidden_key'],
  // Half characters.
  ['{"stringValue":"\\ud800"}', 'MALFORMED_BODY', 'stringValue json.surrogate'],
  ['{"stringValue":"\\ude00\\ud83d"}', 'MALFORMED_BODY', 'stringValue json.surrogate'],
  ['{"struct":{"\\udfff":1}}', 'MALFORMED_BODY', 'struct json.surrogate'],
];

t.test('B-rest: a body that does not fit is refused, and each fault names its field', async (t) => {
  for (const [body, ...expected] of refused) {
    t.same(send(body), expected, body);
  }
});

t.test('B-rest: V1.5.2: no body reaches a prototype', async (t) => {
  send('{"struct":{"__proto__":{"polluted":1}},"stringMap":{"constructor":"x"}}');
  t.notOk('polluted' in {});
});

t.test('B-rest: bounds on depth, keys, and the length of an answer', async (t) => {
  const nested = (depth: number) => `${'{"child":'.repeat(depth)}{}${'}'.repeat(depth)}`;
  t.equal((send(nested(31)) as string[])[0], 'PutEverything');
  t.equal((send(nested(32)) as string[])[0], 'MALFORMED_BODY');
  t.match((send(nested(32)) as string[])[1], /json\.depth$/);
  t.match((send(`{"value":${'['.repeat(100_000)}`) as string[])[1], /json\.depth$/);
  t.match((send(`{"x":${'['.repeat(100_000)}`) as string[])[1], /json\.depth$/);
  const pairs = (count: number) => Array.from({ length: count }, (_, key) => `"${key}":1`).join(',');
  t.equal((send(`{"intMap":{${pairs(999)}}}`) as string[])[0], 'PutEverything');
  t.match((send(`{"intMap":{${pairs(1000)}}}`) as string[])[1], /json\.keys$/);
  const faults = send(`{${pairs(500)}}`) as string[];
  t.equal(faults.length, 33);
  const long = send(`{"${'k'.repeat(5000)}":1}`) as string[];
  t.ok((long[1]?.length ?? 0) < 250);
});

t.test('B-rest: strict UTF-8', async (t) => {
  const withBytes = (...bytes: number[]) =>
    Buffer.from([...Buffer.from('{"stringValue":"'), ...bytes, ...Buffer.from('"}')]);
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]]) {
    t.same(send(withBytes(...bytes)), ['MALFORMED_BODY', 'json.utf8'], String(bytes));
  }
  t.same(send(withBytes(0xc3, 0xa9)), ['PutEverything', { stringValue: 'é' }]);
  t.same(send(Buffer.from('{}', 'utf16le')), ['MALFORMED_BODY', 'json.syntax']);
});

t.test('B-rest: many strings with a late escape take time in proportion to the body', async (t) => {
  // A search for the next backslash from every string would be quadratic: this body would take minutes.
  const strings = Array.from({ length: 1_000_000 }, () => '"a"').join(',');
  const result = send(`{"strings":[${strings},"\\n"]}`) as [string, { strings: string[] }];
  t.equal(result[1].strings.length, 1_000_001);
});

t.test('B-rest: JSON is taken exactly when JSON.parse takes it', async () => {
  const limits = { depthMax: 64, keysMax: 100_000 };
  const readAll = (text: string): unknown => {
    const cursor = new JsonCursor(text, limits);
    const value = cursor.readValue();
    cursor.expectEnd();
    return value;
  };
  const mutated = fc
    .tuple(
      fc.json({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', '"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', '.', 'e', ' ', '\u0000', 'null'),
    )
    .map(([json, at, insert]) => {
      const position = at % (json.length + 1);
      return json.slice(0, position) + insert + json.slice(position + (at % 2));
    });
  fc.assert(
    fc.property(mutated, (text) => {
      let expected: unknown;
      let isJson = true;
      try {
        expected = JSON.parse(text);
      } catch {
        isJson = false;
      }
      try {
        const value = readAll(text);
        return isJson && JSON.stringify(value) === JSON.stringify(expected);
      } catch (error) {
        const rule = error instanceof RestRequestError ? error.violations[0]?.rule : undefined;
        return rule === 'json.syntax' ? !isJson : rule !== undefined;
      }
    }),
    { numRuns: 5000, seed: 20_261_124 },
  );
});

/** Random messages, by way of proto JSON made from the descriptor. */
function arbitraryOf(desc: DescMessage, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const text = fc.string({ unit: 'grapheme', maxLength: 8 });
  const scalars: Record<string, fc.Arbitrary<unknown>> = {
    doubleValue: fc.double({ noNaN: true, noDefaultInfinity: true }),
    int32Value: fc.integer(),
    int64Value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    uint64Value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    boolValue: fc.boolean(),
    stringValue: text,
    bytesValue: fc.uint8Array({ maxLength: 12 }).map((bytes) => base64Encode(bytes)),
    kind: fc.constantFrom('KIND_NOVEL', 'KIND_ATLAS', 0),
    strings: fc.array(text, { maxLength: 4 }),
    intMap: fc.dictionary(fc.integer().map(String), fc.integer().map(String), { maxKeys: 4 }),
    choiceText: text,
    duration: fc.integer().map((n) => `${n}s`),
    timestamp: fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString()),
    boolBox: fc.boolean(),
    int64Box: fc.integer().map(String),
  };
  if (depth > 0) {
    scalars.child = arbitraryOf(desc, depth - 1);
    scalars.children = fc.array(arbitraryOf(desc, depth - 1), { maxLength: 2 });
  }
  return fc.record(scalars, { requiredKeys: [] });
}

t.test('B-rest: random messages decode as the reference decodes them', async (t) => {
  const route = table.match('POST', '/v1/everything');
  if (route.kind !== 'route') {
    throw new Error('no route');
  }
  const decode = (body: string): Message =>
    route.route.decodeRequest({
      path: route.path,
      query: '',
      body: Buffer.from(body),
      contentType: 'application/json',
    });
  fc.assert(
    fc.property(arbitraryOf(everything, 2), (json) => {
      const body = JSON.stringify(json);
      const expected = toBinary(everything, fromJson(everything, JSON.parse(body) as JsonValue));
      return Buffer.from(toBinary(everything, decode(body))).equals(Buffer.from(expected));
    }),
    { numRuns: 500, seed: 20_261_124 },
  );
  t.throws(() => decode('{"x":1}'), RestRequestError);
  t.same(refusal(new RestRequestError('INVALID_BODY', [{ field: 'a', rule: 'type', message: '' }])), [
    'INVALID_BODY',
    'a type',
  ]);
});
