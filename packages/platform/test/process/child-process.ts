// A process of runProcess, for run-process.test.ts: what it does is its first argument.
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { loadConfig, port, secret } from '@strongroom/platform/config';
import { failpoint, type Lifecycle, runProcess } from '@strongroom/platform/process';

const acts: Record<string, (lifecycle: Lifecycle) => Promise<void> | void> = {
  config: async () => {
    await loadConfig({ PORT: port({ doc: '.' }), TOKEN: secret({ doc: '.' }) }, { PORT: 'canary', TOKEN: 'canary' });
  },
  throw: () => {
    setTimeout(() => {
      throw new Error('from a timer');
    }, 1);
  },
  reject: () => {
    void Promise.reject(new Error('nobody caught it'));
  },
  start: () => {
    throw new Error('could not start');
  },
  failpoint: async () => {
    for (let hit = 1; hit <= 3; hit += 1) {
      await failpoint('child.step')?.catch((error: Error) => write(error.name));
      write(`hit ${hit}`);
    }
  },
  midway: async ({ signal, onClose }) => {
    // As a pool's end does, it takes longer than the start needs to notice.
    onClose(() => setImmediate());
    const closed = once(signal, 'abort');
    write('started');
    await closed;
    throw new Error('the pool is closed');
  },
  run: () => undefined,
};

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

const keepAliveMs = 60_000;

runProcess({
  name: 'child',
  async main(lifecycle) {
    const [act = 'run', closing = 'prompt'] = process.argv.slice(2);
    if (closing === 'hangs') lifecycle.setDrainTimeout(150);
    const timer = setInterval(() => undefined, keepAliveMs);
    lifecycle.onStop(() => write('not ready'));
    lifecycle.onClose(() => {
      clearInterval(timer);
      write('closed first opened');
    });
    lifecycle.onClose(async () => {
      write(`signal ${lifecycle.signal.aborted}`);
      if (closing === 'fails') throw new Error('would not close');
      if (closing === 'hangs') await new Promise(() => undefined);
    });
    await acts[act]?.(lifecycle);
    write('started');
  },
});
