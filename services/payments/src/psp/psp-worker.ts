import type { Loop } from '../work/loop.ts';
import { createLoop } from '../work/loop.ts';
import { claimTasks, type PspTask } from './psp-task-store.ts';
import { runTask, type TaskDeps } from './run-task.ts';

const pollMs = 250;

/** Submits and reconciles charges and refunds, a bounded number at once. Runs in every instance: they take turns. */
export function createPspWorker(deps: TaskDeps): Loop {
  const running = new Set<Promise<void>>();

  async function runOne(task: PspTask): Promise<void> {
    try {
      await runTask(deps, task);
    } catch (error) {
      // The lease ends by itself, and the task is due again.
      deps.logger.warn({ err: error, taskId: task.id, kind: task.kind }, 'a task at the provider was put off');
    }
  }

  const loop = createLoop({
    name: 'psp',
    intervalMs: pollMs,
    logger: deps.logger,
    signals: deps.signals,
    wakeOn: 'psp-task',
    async pass() {
      const free = deps.config.PSP_CONCURRENCY - running.size;
      const tasks = free > 0 ? await claimTasks(deps.database, deps.config.PSP_LEASE_MS, free) : [];
      for (const task of tasks) {
        const run = runOne(task).finally(() => {
          running.delete(run);
          if (running.size === deps.config.PSP_CONCURRENCY - 1) deps.signals.raise('psp-task');
        });
        running.add(run);
      }
      return false;
    },
  });
  return {
    start: loop.start,
    async stop() {
      await loop.stop();
      await Promise.all(running);
    },
  };
}
