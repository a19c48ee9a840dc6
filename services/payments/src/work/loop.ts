import type { Logger } from '@strongroom/platform/telemetry';
import type { SignalName, Signals } from './signals.ts';

export interface LoopOptions {
  readonly name: string;
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly signals?: Signals;
  readonly wakeOn?: SignalName;
  /** One pass. True when there is more to do at once. */
  readonly pass: (signal: AbortSignal) => Promise<boolean>;
}

export interface Loop {
  start(): void;
  /** Lets the pass that runs come to its end. */
  stop(): Promise<void>;
}

/** Failing passes wait longer and longer, so that an outage isn't hammered. */
const failureDelayMaxMs = 10_000;

/** A worker that looks again and again, at once when it is woken. Passes never overlap. */
export function createLoop({ name, intervalMs, logger, signals, wakeOn, pass }: LoopOptions): Loop {
  const abort = new AbortController();
  let wake: (() => void) | undefined;
  let isWoken = false;
  let running: Promise<void> | undefined;
  let stopListening: (() => void) | undefined;

  const wait = (delayMs: number) =>
    new Promise<void>((resolve) => {
      if (isWoken || abort.signal.aborted) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, delayMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function run(): Promise<void> {
    let failures = 0;
    while (!abort.signal.aborted) {
      isWoken = false;
      try {
        const hasMore = await pass(abort.signal);
        failures = 0;
        if (!hasMore) await wait(intervalMs);
      } catch (error) {
        failures += 1;
        logger.warn({ err: error, worker: name, failures }, 'a pass failed');
        await wait(Math.min(failureDelayMaxMs, intervalMs * 2 ** Math.min(failures, 10)));
      }
    }
  }

  return {
    start() {
      if (running !== undefined) return;
      if (signals !== undefined && wakeOn !== undefined) {
        stopListening = signals.on(wakeOn, () => {
          isWoken = true;
          wake?.();
        });
      }
      running = run();
    },
    async stop() {
      abort.abort();
      stopListening?.();
      wake?.();
      await running;
    },
  };
}
