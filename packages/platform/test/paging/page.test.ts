import { randomBytes } from 'node:crypto';
import { createKeyring } from '@strongroom/platform/crypto';
import { isServiceError } from '@strongroom/platform/errors';
import { requestedPage } from '@strongroom/platform/paging';
import t from 'tap';

const [older, newer] = [
  { id: 'older', key: randomBytes(32) },
  { id: 'newer', key: randomBytes(32) },
];
const scope = ['payments', 'ada', undefined];
const numbers = Array.from({ length: 250 }, (_, number) => number);

/** A list of numbers, as a store reads it. */
function list(keyring: ReturnType<typeof createKeyring>, request: { pageSize: number; pageToken: string }, of = scope) {
  const page = requestedPage(keyring, of, request);
  const found = numbers.filter((number) => number > Number(page.after?.[0] ?? -1)).slice(0, page.rowsMax);
  return page.cut(found, (number) => [String(number)]);
}

t.test('fault 28: pages hold each row once, and the last one has no successor', (t) => {
  const keyring = createKeyring([older]);
  for (const [pageSize, lengths] of [
    [0, [...Array(12).fill(20), 10]],
    [125, [100, 100, 50]],
    [50, [50, 50, 50, 50, 50]],
  ] as const) {
    const pages: number[][] = [];
    let pageToken = '';
    do {
      const { rows, nextPageToken } = list(keyring, { pageSize, pageToken });
      pages.push(rows);
      pageToken = nextPageToken;
    } while (pageToken !== '');
    t.strictSame(pages.flat(), numbers, `page size ${pageSize}`);
    t.strictSame(
      pages.map(({ length }) => length),
      lengths,
    );
  }
  t.end();
});

t.test('fault 28: a token is good for its own scope alone, whole and unchanged', (t) => {
  const keyring = createKeyring([older]);
  const pageToken = list(keyring, { pageSize: 2, pageToken: '' }).nextPageToken;
  t.strictSame(list(keyring, { pageSize: 2, pageToken }).rows, [2, 3]);
  const bytes = Buffer.from(pageToken, 'base64url');
  const misuses: [string, string, (string | undefined)[]][] = [
    ['another caller', pageToken, ['payments', 'eve', undefined]],
    ['another filter', pageToken, ['payments', 'ada', 'open']],
    ['parts put together otherwise', pageToken, ['payments', 'ada,', undefined]],
    ['a part less', pageToken, ['payments', 'ada']],
    ['cut short', bytes.subarray(0, 16).toString('base64url'), scope],
    ['shorter than a signature', 'AAAA', scope],
    ['no base64', '!', scope],
    ...[0, 15, 16, bytes.length - 1].map((at): [string, string, typeof scope] => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      return [`byte ${at} changed`, changed.toString('base64url'), scope];
    }),
  ];
  for (const [what, token, of] of misuses) {
    try {
      list(keyring, { pageSize: 2, pageToken: token }, of);
      t.fail(`${what}: accepted`);
    } catch (error) {
      t.ok(isServiceError(error, 'PAGE_TOKEN_INVALID'), what);
    }
  }
  t.end();
});

t.test('fault 28: a list that stopped short of its end goes on from there, even behind an empty page', (t) => {
  const keyring = createKeyring([older]);
  const positionOf = (number: number) => [String(number)];
  const pageFrom = (pageToken: string) => requestedPage(keyring, scope, { pageSize: 2, pageToken });
  const empty = pageFrom('').cut([], positionOf, ['70']);
  t.strictSame(empty.rows, []);
  t.strictSame(pageFrom(empty.nextPageToken).after, ['70']);
  const full = pageFrom('').cut([1, 2, 3], positionOf, ['70']);
  t.strictSame(pageFrom(full.nextPageToken).after, ['2'], 'a row that found no room comes first');
  t.equal(pageFrom('').cut([1, 2], positionOf).nextPageToken, '');
  t.end();
});

t.test('F32: who turns pages while the master key is changed goes on, until the older key is gone', (t) => {
  const { nextPageToken: pageToken } = list(createKeyring([older]), { pageSize: 2, pageToken: '' });
  t.strictSame(list(createKeyring([newer, older]), { pageSize: 2, pageToken }).rows, [2, 3]);
  t.throws(() => list(createKeyring([newer]), { pageSize: 2, pageToken }));
  t.end();
});
