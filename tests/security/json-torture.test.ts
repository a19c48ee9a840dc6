// JSON that parsers disagree about, that is too much, or that isn't JSON: refused with a code, before any service sees it.
import t from 'tap';
import { startContractEdge } from './contract-edge.ts';

const edge = await startContractEdge(t);
const createPayment = 'strongroom.payments.v1.PaymentsService/CreatePayment';
const amount = (minorUnits: string) => `{"amount":{"currencyCode":"EUR","minorUnits":${minorUnits}}}`;
const bytes = (...values: number[]) => Buffer.from(values);
const textOf = (inside: Buffer) => Buffer.concat([Buffer.from('{"description":"'), inside, Buffer.from('"}')]);

const vectors: Record<string, string | Buffer> = {
  'a key twice': '{"description":"a","description":"b"}',
  'a key twice, once escaped': '{"description":"a","descri\\u0070tion":"b"}',
  'a key in both spellings': '{"recipientId":"a","recipient_id":"b"}',
  'a trailing comma': '{"description":"a",}',
  'a leading comma': '{,"description":"a"}',
  'two commas': '{"description":"a",,"type":1}',
  'a comment': '{/* x */"description":"a"}',
  'a line comment': '{"description":"a"} // x',
  'single quotes': "{'description':'a'}",
  'a key without quotes': '{description:"a"}',
  'two documents': '{}{}',
  'a document and a word': '{} true',
  NaN: amount('NaN'),
  Infinity: amount('Infinity'),
  '-Infinity': amount('-Infinity'),
  hexadecimal: amount('0x10'),
  'a leading zero': amount('010'),
  'a leading plus': amount('+1'),
  'a bare dot': amount('.5'),
  'a trailing dot': amount('5.'),
  'a fraction of a minor unit': amount('1.5'),
  'more than int64': amount('9223372036854775808'),
  'far more than int64': amount('1e400'),
  'a number that doubles round': amount('9007199254740993.5'),
  'minus zero point': amount('-0.1'),
  'a number as words': amount('"ten"'),
  'an object for a number': amount('{}'),
  'a boolean for a number': amount('true'),
  'deep arrays': `{"metadata":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
  'deep objects': `${'{"amount":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  'deep and never closed': '['.repeat(60_000),
  'many keys': `{"metadata":{${Array.from({ length: 4_000 }, (_, index) => `"k${index}":"v"`).join(',')}}}`,
  'a raw line feed in a text': '{"description":"a\nb"}',
  'a raw NUL in a text': '{"description":"a\0b"}',
  'a bad escape': '{"description":"\\x41"}',
  'half an escape': '{"description":"\\u00"}',
  'a text that does not end': '{"description":"a',
  'a lone surrogate in raw bytes': textOf(bytes(0xed, 0xa0, 0x80)),
  'an overlong slash': textOf(bytes(0xc0, 0xaf)),
  'a byte that is never UTF-8': textOf(bytes(0xff)),
  'a cut-off character': textOf(bytes(0xe2, 0x82)),
  'UTF-16': Buffer.from('{"description":"a"}', 'utf16le'),
  'a byte order mark and nothing': bytes(0xef, 0xbb, 0xbf),
  'nothing but spaces': '     ',
  'a number alone': '1',
  'a text alone': '"x"',
  null: 'null',
  'an array': '[]',
  'an unknown field': '{"isAdmin":true}',
  'an unknown enum': '{"type":"PAYMENT_TYPE_FREE"}',
};

const parsersWords = /SyntaxError|JSON\.parse|position \d|at .*:\d+/;

t.test('S6.3: JSON torture: each is a 400 with a catalogued code', async (t) => {
  t.ok(Object.keys(vectors).length >= 40, 'forty vectors');
  for (const [name, body] of Object.entries(vectors)) {
    const { status, text } = await edge.send('/api/v1/payments', { body });
    t.equal(status, 400, `${name}: ${text.slice(0, 80)}`);
    t.match(JSON.parse(text), { code: /^(MALFORMED_REQUEST|VALIDATION_FAILED)$/, retry: 'never' }, name);
    t.notMatch(text, parsersWords, name);
  }
  t.equal(edge.reached.get(createPayment) ?? 0, 0, 'no service has seen any of them');
});

t.test('S6.3: the same over Connect JSON', async (t) => {
  for (const [name, body] of Object.entries(vectors)) {
    const { status, text } = await edge.send(`/${createPayment}`, { body });
    t.ok(status === 400 || status === 413, `${name}: ${status} ${text.slice(0, 80)}`);
    t.notMatch(text, parsersWords, name);
  }
  t.equal(edge.reached.get(createPayment) ?? 0, 0);
});
