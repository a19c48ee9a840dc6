import t from 'tap';
import { createTestTable, transcode } from './table.ts';

const table = createTestTable();
const list = 'GET /v1/shelves/1/books';
const parent = 'shelves/1';

const accepted: [query: string, expected: object][] = [
  ['', {}],
  ['&&', {}],
  ['pageSize=5&page_token=x', { pageSize: 5, pageToken: 'x' }],
  ['page_size=-5', { pageSize: -5 }],
  ['pageToken=', {}],
  ['pageToken', {}],
  ['pageToken=a%2Bb+c%26d%3D=e', { pageToken: 'a+b c&d==e' }],
  ['pageToken=%2561', { pageToken: '%61' }],
  ['pageToken=a?b/c', { pageToken: 'a?b/c' }],
  ['%70ageToken=x', { pageToken: 'x' }],
  ['filter.author=Ann', { filter: { author: 'Ann' } }],
  ['filter.years=1&filter.years=2&filter.years=1', { filter: { years: ['1', '2', '1'] } }],
  ['filter.youngerThan=3.5s', { filter: { youngerThan: '3.500s' } }],
  ['filter.since=2024-02-29T12:00:00%2B01:00', { filter: { since: '2024-02-29T11:00:00Z' } }],
  ['kinds=KIND_NOVEL&kinds=2', { kinds: ['KIND_NOVEL', 'KIND_ATLAS'] }],
  // An open enum takes numbers that have no name.
  ['kinds=77', { kinds: [77] }],
];

t.test('B-rest: query parameters bind every kind of field', async (t) => {
  for (const [query, expected] of accepted) {
    t.same(transcode(table, `${list}?${query}`), ['ListBooks', { parent, ...expected }], query);
  }
});

const everything: [query: string, expected: object][] = [
  ['doubleValue=1.5e3&floatValue=-0.25', { doubleValue: 1500, floatValue: -0.25 }],
  ['doubleValue=NaN&floatValue=-Infinity', { doubleValue: 'NaN', floatValue: '-Infinity' }],
  ['int32Value=-2147483648&uint32Value=4294967295', { int32Value: -2147483648, uint32Value: 4294967295 }],
  ['int32Value=1e3&int64Value=2.0', { int32Value: 1000, int64Value: '2' }],
  ['int64Value=-9223372036854775808', { int64Value: '-9223372036854775808' }],
  ['uint64Value=18446744073709551615', { uint64Value: '18446744073709551615' }],
  ['sint32Value=-1&sint64Value=-1', { sint32Value: -1, sint64Value: '-1' }],
  ['fixed32Value=1&fixed64Value=2', { fixed32Value: 1, fixed64Value: '2' }],
  ['sfixed32Value=-1&sfixed64Value=-2', { sfixed32Value: -1, sfixed64Value: '-2' }],
  ['boolValue=true&kind=KIND_ATLAS', { boolValue: true, kind: 'KIND_ATLAS' }],
  ['bytesValue=-_8&blobs=%2B/8%3D&blobs=', { bytesValue: '+/8=', blobs: ['+/8=', ''] }],
  ['textLong=9007199254740993', { textLong: '9007199254740993' }],
  ['optionalString=', { optionalString: '' }],
  ['child.child.strings=a&child.child.strings=b', { child: { child: { strings: ['a', 'b'] } } }],
  ['timestamp=0001-01-01T00:00:00Z&duration=-0.5s', { timestamp: '0001-01-01T00:00:00Z', duration: '-0.500s' }],
  ['mask=a.bC,d', { mask: 'a.bC,d' }],
  ['times=2024-01-01T00:00:00Z&boxed=a&boxed=', { times: ['2024-01-01T00:00:00Z'], boxed: ['a', ''] }],
  [
    'boolBox=false&stringBox=&int64Box=7&bytesBox=AA',
    { boolBox: false, stringBox: '', int64Box: '7', bytesBox: 'AA==' },
  ],
  [
    'doubleBox=1&floatBox=2&int32Box=3&uint32Box=4&uint64Box=5',
    { doubleBox: 1, floatBox: 2, int32Box: 3, uint32Box: 4, uint64Box: '5' },
  ],
  ['choiceText=', { choiceText: '' }],
  ['choiceBoxed=false', { choiceBoxed: false }],
  ['choiceAuthor.email=x&choiceAuthor.fullName=y', { choiceAuthor: { email: 'x', fullName: 'y' } }],
];

t.test('B-rest: query parameters of every scalar, wrapper and well-known type', async (t) => {
  for (const [query, expected] of everything) {
    t.same(transcode(table, `GET /v1/everything?${query}`), ['PutEverything', expected], query);
  }
});

const refused: [query: string, ...violations: string[]][] = [
  ['nothing=1', 'nothing query.unknown'],
  ['pageSize.x=1', 'pageSize.x query.not_bindable'],
  ['filter=x', 'filter query.not_bindable'],
  ['filter.nothing=x', 'filter.nothing query.unknown'],
  ['PageSize=1', 'PageSize query.unknown'],
  ['=1', 'query.unknown'],
  ['__proto__=1', '__proto__ query.unknown'],
  ['filter.__proto__.x=1', 'filter.__proto__.x query.unknown'],
  ['constructor=1', 'constructor query.unknown'],
  ['pageSize=1&pageSize=1', 'pageSize query.duplicate'],
  ['pageSize=1&page_size=2', 'pageSize query.duplicate'],
  ['pageSize=', 'pageSize type'],
  ['pageSize=1.5', 'pageSize type'],
  ['pageSize=0x1', 'pageSize type'],
  ['pageSize=01', 'pageSize type'],
  ['pageSize=%201', 'pageSize type'],
  ['pageSize=2147483648', 'pageSize type'],
  ['pageSize=1e400', 'pageSize type'],
  ['pageSize=1e-999999999', 'pageSize type'],
  ['parent=x', 'parent query.unknown'],
  ['kinds=kind_novel', 'kinds type'],
  ['filter.youngerThan=1s&filter.since=2024-01-01T00:00:00Z', 'filter.since oneof'],
  ['filter.since=2024-02-30T00:00:00Z', 'filter.since type'],
  ['filter.since=2023-02-29T00:00:00Z', 'filter.since type'],
  ['filter.since=2024-01-01T24:00:00Z', 'filter.since type'],
  ['filter.since=2024-01-01', 'filter.since type'],
  ['filter.youngerThan=5', 'filter.youngerThan type'],
  ['filter.youngerThan=5sX', 'filter.youngerThan type'],
  ['filter.youngerThan=315576000001s', 'filter.youngerThan type'],
  ['pageToken=%', 'pageToken query.encoding'],
  ['pageToken=%ff', 'pageToken query.encoding'],
  ['pageToken=\u00e9', 'pageToken query.encoding'],
  ['%ff=1', 'query.encoding'],
  // Every fault is told at once.
  ['nothing=1&pageSize=x&pageToken=%', 'nothing query.unknown', 'pageSize type', 'pageToken query.encoding'],
  ['a=1&'.repeat(201), 'query.count'],
];

t.test('B-rest: what a query is refused for', async (t) => {
  for (const [query, ...violations] of refused) {
    t.same(transcode(table, `${list}?${query}`), ['INVALID_PARAMETER', ...violations], query.slice(0, 80));
  }
});

const refusedOfEverything: [query: string, violation: string][] = [
  ['boolValue=1', 'boolValue type'],
  ['boolValue=TRUE', 'boolValue type'],
  ['boolValue=', 'boolValue type'],
  ['uint32Value=-1', 'uint32Value type'],
  ['uint64Value=18446744073709551616', 'uint64Value type'],
  ['int64Value=9223372036854775808', 'int64Value type'],
  ['floatValue=1e39', 'floatValue type'],
  ['doubleValue=1e309', 'doubleValue type'],
  ['doubleValue=.5', 'doubleValue type'],
  ['doubleValue=0x10', 'doubleValue type'],
  ['bytesValue=a', 'bytesValue type'],
  ['bytesValue=a-%2B_', 'bytesValue type'],
  ['bytesValue=AA%3D', 'bytesValue type'],
  ['bytesValue=AA AA', 'bytesValue type'],
  ['mask=a_b', 'mask type'],
  ['mask=a,,b', 'mask type'],
  ['stringMap.a=1', 'stringMap.a query.not_bindable'],
  ['stringMap=1', 'stringMap query.not_bindable'],
  ['children=1', 'children query.not_bindable'],
  ['children.stringValue=1', 'children.stringValue query.not_bindable'],
  ['struct=1', 'struct query.not_bindable'],
  ['struct.fields=1', 'struct.fields query.not_bindable'],
  ['timestamp.seconds=1', 'timestamp.seconds query.not_bindable'],
  ['choiceText=a&choiceNumber=1', 'choiceNumber oneof'],
  ['choiceAuthor.email=a&choiceText=1', 'choiceText oneof'],
  ['choiceText=a&choiceAuthor.email=1', 'choiceAuthor.email oneof'],
  [`${'child.'.repeat(9)}stringValue=1`, `${'child.'.repeat(9)}stringValue query.unknown`],
];

t.test('B-rest: what a query is refused for, type by type', async (t) => {
  for (const [query, violation] of refusedOfEverything) {
    const expected = ['INVALID_PARAMETER', violation];
    t.same(transcode(table, `GET /v1/everything?${query.replaceAll(' ', '%20')}`), expected, query);
  }
});
