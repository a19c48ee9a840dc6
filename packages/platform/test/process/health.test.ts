import { createHealth } from '@strongroom/platform/process';
import t from 'tap';

t.test('S5.3: ready, degraded and failing, with reasons and without internals', async (t) => {
  let now = 0;
  const reports: string[] = [];
  const health = createHealth({ now: () => now, onCheck: ({ name, status }) => reports.push(`${name} ${status}`) });
  const changes: boolean[] = [];
  health.onChange((isReady) => changes.push(isReady));
  t.ok(health.live());
  t.equal(await health.ready(), false, 'not before it has started');
  health.setStarted(true);
  t.equal(await health.ready(), true);

  let isDatabaseDown = false;
  let asked = 0;
  health.add(
    'postgres',
    async () => {
      asked += 1;
      if (isDatabaseDown) throw new Error('connect ECONNREFUSED 10.0.0.7:5432');
    },
    { required: true, cacheMs: 1_000 },
  );
  health.add('redis', () => (isDatabaseDown ? undefined : 'limits are kept in memory'));
  t.match(await health.report(), {
    status: 'degraded',
    checks: [
      { name: 'postgres', status: 'ok', required: true },
      { name: 'redis', status: 'failing', required: false, reason: 'limits are kept in memory' },
    ],
  });
  t.equal(await health.ready(), true, 'degraded is ready');
  t.equal(asked, 1, 'answers are kept for a while');
  isDatabaseDown = true;
  now = 1_001;
  const down = await health.report();
  t.match(down, {
    status: 'failing',
    checks: [
      { name: 'postgres', reason: 'unavailable' },
      { name: 'redis', status: 'ok' },
    ],
  });
  t.notMatch(JSON.stringify(down), /10\.0\.0\.7/);
  t.ok(health.live(), 'an outage is no reason to restart the process');
  isDatabaseDown = false;
  now = 2_002;
  t.equal(await health.ready(), true, 'recovers by itself');
  health.setClosing();
  t.equal(await health.ready(), false);
  t.match((await health.report()).checks[0], { name: 'process', reason: 'closing' });
  t.same(changes, [false, true, false, true, false]);
  t.ok(reports.includes('postgres failing'));
});

t.test('S5.3: a check that does not answer counts as failing', async (t) => {
  const health = createHealth();
  health.setStarted(true);
  health.add('hung', () => new Promise(() => undefined), { required: true, timeoutMs: 20 });
  t.match(await health.report(), { status: 'failing', checks: [{ name: 'hung', reason: 'no answer in time' }] });
  health.remove('hung');
  t.equal(await health.ready(), true);
});
