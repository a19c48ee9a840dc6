import { ConfigError } from '../config/load.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { flushSpans } from '../telemetry/trace.ts';

const drainTimeoutMsDefault = 10_000;
const flushTimeoutMs = 1_000;
const exitCodeConfiguration = 78; // EX_CONFIG of sysexits.h: a restart won't help.
const exitCodeFault = 1;

export type Close = () => Promise<unknown> | unknown;

/** What a process opened is closed in reverse order, so that nothing is closed that another part still uses. */
export interface Lifecycle {
  readonly name: string;
  onClose(close: Close): void;
  /** Runs at once when the process is told to end, before anything is closed: readiness goes false here (F33). */
  onStop(stop: () => void): void;
  /** Aborted when the process is told to end. */
  readonly signal: AbortSignal;
  setLogger(logger: Logger): void;
  setDrainTimeout(timeoutMs: number): void;
  /** Ends the process as a signal would. */
  stop(): void;
}

export interface RunOptions {
  readonly name: string;
  readonly main: (lifecycle: Lifecycle) => Promise<void>;
}

/** Runs `main` until SIGTERM or SIGINT, then drains within a bound and exits; a fault exits non-zero. */
export function runProcess({ name, main }: RunOptions): void {
  const closers: Close[] = [];
  const stoppers: (() => void)[] = [];
  const abort = new AbortController();
  let logger = createLogger({ name, level: 'info' });
  let drainTimeoutMs = drainTimeoutMsDefault;
  let ending: Promise<never> | undefined;

  function end(code: number, why: string): Promise<never> {
    ending ??= closeAll(code, why);
    return ending;
  }

  async function closeAll(code: number, why: string): Promise<never> {
    logger.info({ why }, 'closing');
    abort.abort();
    let exitCode = code;
    for (const stop of stoppers) stop();
    const timer = setTimeout(() => {
      logger.error({ drainTimeoutMs }, 'not closed in time');
      process.exit(exitCode === 0 ? exitCodeFault : exitCode);
    }, drainTimeoutMs);
    for (const close of closers.reverse()) {
      try {
        await close();
      } catch (error) {
        exitCode = exitCode === 0 ? exitCodeFault : exitCode;
        logger.error({ err: error }, 'a part did not close');
      }
    }
    await flushSpans(flushTimeoutMs);
    clearTimeout(timer);
    logger.info('closed');
    process.exit(exitCode);
  }

  function fail(error: unknown, what: string): void {
    logger.fatal({ err: error }, what);
    void end(exitCodeFault, what);
  }

  process.on('uncaughtException', (error) => fail(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => fail(error, 'unhandled rejection'));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end(0, signal));

  const lifecycle: Lifecycle = {
    name,
    signal: abort.signal,
    onClose: (close) => void closers.push(close),
    onStop: (stop) => void stoppers.push(stop),
    setLogger(value) {
      logger = value;
    },
    setDrainTimeout(timeoutMs) {
      drainTimeoutMs = timeoutMs;
    },
    stop: () => void end(0, 'stopped'),
  };
  main(lifecycle).catch((error: unknown) => {
    if (ending !== undefined) {
      // What it needed is closed under its hands.
      logger.info({ err: error }, 'told to end while starting');
    } else if (error instanceof ConfigError) {
      process.stderr.write(`${name} can't start. ${error.message}\n`);
      void end(exitCodeConfiguration, 'configuration');
    } else {
      fail(error, 'start failed');
    }
  });
}
