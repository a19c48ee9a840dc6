import t from 'tap';
import { type AnonymousRefusal, type RefusalCount, RefusalTally } from '../../src/service/refusal-tally.ts';

/** A tally whose window ends when it is closed. */
function openTally(kindsMax: number) {
  const records: RefusalCount[] = [];
  const record = async (refusals: RefusalCount) => void records.push(refusals);
  return { tally: new RefusalTally({ record, windowMs: 3_600_000, kindsMax }), records };
}

function refusalFrom(ipAddress: string, facts: Partial<AnonymousRefusal> = {}, traceId = 'a'.repeat(32)) {
  const act = {
    actorId: '',
    actorKind: 'anonymous' as const,
    actorName: '',
    requestId: 'request-0001',
    traceId,
    ipAddress,
    userAgent: 'agent/1',
    deviceId: 'device-1',
  };
  const refusal: AnonymousRefusal = {
    act,
    method: 'strongroom.auth.v1.AuthService/GetMe',
    reason: 'UNAUTHENTICATED',
    resourceType: 'user',
  };
  return { ...refusal, ...facts };
}

t.test('S7.3: the first refusal is recorded at once, with its trace; those alike are counted', async (t) => {
  const { tally, records } = openTally(10);
  tally.note(refusalFrom('192.0.2.1', {}, '1'.repeat(32)));
  t.match(records, [{ count: 1, act: { ipAddress: '192.0.2.1', deviceId: 'device-1', traceId: '1'.repeat(32) } }]);
  for (let count = 0; count < 41; count += 1) tally.note(refusalFrom('192.0.2.1', {}, '2'.repeat(32)));
  tally.note(refusalFrom('192.0.2.2'));
  tally.note(refusalFrom('192.0.2.1', { reason: 'TOKEN_INVALID' }));
  const subjectId = '018f3c5e-0000-7000-8000-000000000001';
  tally.note(refusalFrom('192.0.2.1', { reason: 'TOKEN_REVOKED', subjectId }));
  t.equal(records.length, 4, 'each address, reason and person by itself');
  t.equal(records.at(-1)?.subjectId, subjectId);
  await tally.close();
  t.match(records.slice(4), [{ count: 41, act: { ipAddress: '192.0.2.1', traceId: '2'.repeat(32) } }]);
});

t.test(
  'S7.3: a flood of refusals from any number of addresses is counted whole, and written in a few records',
  async (t) => {
    const { tally, records } = openTally(100);
    for (let index = 0; index < 20_000; index += 1) {
      tally.note(refusalFrom(`10.1.${Math.floor((index % 5_000) / 250)}.${index % 250}`));
    }
    await tally.close();
    t.equal(records.length, 201, 'twice a hundred, and one for all other addresses');
    t.equal(
      records.reduce((sum, { count }) => sum + count, 0),
      20_000,
    );
    t.match(
      records.at(-1),
      { count: 19_600, act: { ipAddress: '', userAgent: '', deviceId: '' } },
      'nobody is accused',
    );
  },
);

t.test('S7.3: the window ends by itself, and the next refusal opens another', async (t) => {
  const records: RefusalCount[] = [];
  const ended = Promise.withResolvers<void>();
  const record = async (refusals: RefusalCount) => {
    if (records.push(refusals) === 2) ended.resolve();
  };
  const tally = new RefusalTally({ record, windowMs: 20 });
  for (let count = 0; count < 5; count += 1) tally.note(refusalFrom('192.0.2.1'));
  // The tally's own timer keeps no process alive.
  const alive = setInterval(() => undefined, 1_000);
  await ended.promise;
  clearInterval(alive);
  tally.note(refusalFrom('192.0.2.1'));
  await tally.close();
  t.same(
    records.map(({ count }) => count),
    [1, 4, 1],
  );
});
