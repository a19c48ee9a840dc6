import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';

const script = join(import.meta.dirname, 'child-process.ts');

/** Runs the child; `signal` is sent once it says that it has started. */
async function runChild(
  args: string[],
  { signal, env = {} }: { signal?: NodeJS.Signals; env?: Record<string, string> } = {},
) {
  const child = spawn(process.execPath, [script, ...args], { env: { PATH: process.env['PATH'], ...env } });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (line === 'started' && signal !== undefined) child.kill(signal);
    });
  }
  const ended = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, by) => resolve({ code, signal: by }));
  });
  return { ...ended, lines, said: lines.filter((line) => !line.startsWith('{')), text: lines.join('\n') };
}

t.test(
  'F33, older fault 53: told to end, a process stops being ready, closes in reverse order and exits 0',
  async (t) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { code, said } = await runChild(['run'], { signal });
      t.equal(code, 0);
      t.same(said, ['started', 'not ready', 'signal true', 'closed first opened']);
    }
  },
);

t.test('F33: told to end while it starts, a process closes as ever, and its broken start is no fault', async (t) => {
  const { code, said, text } = await runChild(['midway'], { signal: 'SIGTERM' });
  t.equal(code, 0);
  t.same(said, ['started', 'not ready', 'signal true', 'closed first opened']);
  t.match(text, /"level":"info".*the pool is closed.*told to end while starting/);
  t.notMatch(text, /"level":"fatal"/);
});

t.test('F33: what does not close in time is cut off, and told', async (t) => {
  const { code, text } = await runChild(['run', 'hangs'], { signal: 'SIGTERM' });
  t.equal(code, 1);
  t.match(text, /not closed in time/);
  const failing = await runChild(['run', 'fails'], { signal: 'SIGTERM' });
  t.equal(failing.code, 1);
  t.match(
    failing.said,
    ['started', 'not ready', 'signal true', 'closed first opened'],
    'the others are closed all the same',
  );
});

t.test('S6.2: a fault that nobody caught is logged, and ends the process non-zero', async (t) => {
  for (const [act, message] of [
    ['throw', 'from a timer'],
    ['reject', 'nobody caught it'],
    ['start', 'could not start'],
  ] as const) {
    const { code, text, said } = await runChild([act]);
    t.equal(code, 1, act);
    t.match(text, new RegExp(`"level":"fatal".*${message}`));
    t.ok(said.includes('closed first opened'), 'what was opened is closed');
  }
});

t.test('S3.2: faults of the configuration are listed for a person, without values', async (t) => {
  const { code, said, text } = await runChild(['config']);
  t.equal(code, 78);
  t.ok(said.includes("child can't start. The configuration has 2 faults:"));
  t.ok(said.some((line) => line.startsWith('  PORT: must')));
  t.notMatch(text, /canary/);
});

t.test('F1: failpoints kill, throw and delay at the hit that they name, and never in production', async (t) => {
  const at = (text: string, kind = 'test') =>
    runChild(['failpoint'], { signal: 'SIGTERM', env: { STRONGROOM_FAILPOINTS: text, STRONGROOM_ENV: kind } });
  const killed = await at('child.step=kill@2');
  t.equal(killed.signal, 'SIGKILL');
  t.same(killed.said, ['hit 1']);
  const thrown = await at('other=kill,child.step=throw@3');
  t.match(thrown.said, ['hit 1', 'hit 2', 'FailpointError', 'hit 3', 'started']);
  t.match((await at('child.step=delay:1')).said, ['hit 1', 'hit 2', 'hit 3', 'started']);
  t.match((await at('')).said, ['hit 1', 'hit 2', 'hit 3', 'started']);
  for (const [text, kind] of [
    ['child.step=throw', 'production'],
    ['child.step=explode', 'test'],
  ] as const) {
    const refused = await at(text, kind);
    t.equal(refused.code, 1);
    t.match(refused.text, /STRONGROOM_FAILPOINTS/);
  }
});
