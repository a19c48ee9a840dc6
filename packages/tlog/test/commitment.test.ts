import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'tap';
import {
  type AuditRecord,
  canonicalJson,
  createSalt,
  recordToCanonicalJson,
  recordToEntry,
  recordToLeafHash,
} from '../src/index.ts';

test('B-log: the leaf format is the one that can never change', async (t) => {
  const salt = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
  const record = { b: [1, true, null], a: 'é"\n', ÿ: -9_007_199_254_740_991 };
  const canonical = '{"a":"é\\"\\n","b":[1,true,null],"ÿ":-9007199254740991}';
  t.equal(recordToCanonicalJson(record), canonical);
  const entry = createHmac('sha256', salt).update(`strongroom-audit-record/v1\n${canonical}`).digest();
  t.same(recordToEntry(record, salt), entry);
  t.same(recordToLeafHash(record, salt), createHash('sha256').update(Buffer.of(0)).update(entry).digest());
  // Written down once, by another program (Python's hmac and hashlib): the format must give these bytes for ever.
  t.equal(entry.toString('hex'), 'b0c3477df04f73d8f571d3e37b70c218a3932275d480bfe3364c91d116fbfdfd');
  t.equal(
    recordToLeafHash(record, salt).toString('hex'),
    '6c827893489cd37d721ee0983d06c68c68f443ca140e90ada2a30dd3a7227938',
  );
  t.throws(() => recordToEntry(record, salt.subarray(1)), { code: 'OUT_OF_RANGE' });
  t.not(createSalt().toString('hex'), createSalt().toString('hex'));
  t.equal(createSalt().length, 32);
});

test("B-log: entries are node:crypto's HMAC-SHA-256 of any record under any salt", async (t) => {
  const salts = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const records = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme', maxLength: 300 }));
  const property = fc.property(salts, records, (salt, record) => {
    const message = `strongroom-audit-record/v1\n${canonicalJson(record)}`;
    return createHmac('sha256', salt).update(message).digest().equals(recordToEntry(record, salt));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
});

test('B-log: canonical JSON is that of RFC 8785', async (t) => {
  // Section 3.2.3's example of sorting by UTF-16 code units: the emoji (a surrogate pair) comes before U+FB33.
  const sorted = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  t.equal(
    Object.values(JSON.parse(canonicalJson(sorted))).join('|'),
    [
      'One',
      'Carriage Return',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ].join('|'),
  );
  // Section 3.2.2's string, whose escapes are the shortest there are.
  t.equal(canonicalJson('\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/'), '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  t.equal(canonicalJson({ z: {}, a: [], __proto__: null } as never), '{"a":[],"z":{}}');
  t.equal(canonicalJson(JSON.parse('{"__proto__":1}')), '{"__proto__":1}');
  const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => !hasOddNumber(value));
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value as never);
        return canonicalJson(JSON.parse(text)) === text && text.length <= JSON.stringify(value).length;
      }),
    ),
  );
});

function hasOddNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value) || Object.is(value, -0);
  if (typeof value === 'string') return !value.isWellFormed();
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, item]) => !key.isWellFormed() || hasOddNumber(item));
}

test('B-log: what has no single meaning in JSON is refused', async (t) => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const named = Object.assign([1], { name: 1 });
  const refused: Record<string, unknown> = {
    'a fraction': 1.5,
    'not a number': Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
    'a number beyond 2^53': 2 ** 53,
    'negative zero': -0,
    undefined,
    bigint: 1n,
    'a symbol': Symbol('s'),
    'a function': () => 1,
    'a lone surrogate': 'a\ud800',
    'a lone surrogate in a name': { '\udc00': 1 },
    'an undefined member': { a: undefined },
    'a hole': Object.assign(new Array(2), { 0: 1 }),
    'an array with a name': named,
    'a date': new Date(0),
    'a map': new Map(),
    bytes: Buffer.from('a'),
    'an instance': new (class Point {})(),
    'a symbol name': { [Symbol('s')]: 1 },
    'an accessor': Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }),
    'a hidden member': Object.defineProperty({}, 'a', { value: 1, enumerable: false }),
    'a cycle': cyclic,
  };
  for (const [what, value] of Object.entries(refused)) {
    t.throws(() => canonicalJson(value as never), { code: 'NOT_CANONICAL' }, what);
  }
  for (const value of [[], null, 'text', 1]) {
    t.throws(() => recordToCanonicalJson(value as never), { code: 'NOT_CANONICAL' }, 'a record is an object');
  }
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as AuditRecord;
  t.equal(canonicalJson(nested(33)).length, 66);
  t.throws(() => canonicalJson(nested(34)), { code: 'NOT_CANONICAL' }, 'too deep');
  t.throws(() => recordToCanonicalJson({ a: 'x'.repeat(262_144) }), { code: 'LIMIT_EXCEEDED' });
});
