import { commonErrors } from '../errors/index.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PostgresClient } from './client.ts';

const retryMs = 1_000;
const retryAfterMs = 1_000;
const settingNames = ['fsync', 'full_page_writes', 'synchronous_commit'];

export class DurabilityError extends Error {
  override name = 'DurabilityError';
}

export interface DurabilityCheck {
  /** Asks once; throws only if the server answers and would lose commits. Keeps asking while it doesn't answer. */
  start(): Promise<void>;
  /** Throws UNAVAILABLE until the server has answered that its commits are durable. */
  require(): Promise<void> | undefined;
  stop(): void;
}

/**
 * Postgres is the only record of truth: with any of these settings off, a committed payment may be gone after a crash
 * (faults.md, Postgres). Whoever turned one off learns it here and not then.
 */
export function createDurabilityCheck(sql: PostgresClient, logger: Logger): DurabilityCheck {
  let verdict: 'unknown' | 'durable' | DurabilityError = 'unknown';
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  async function ask(): Promise<void> {
    const rows = await sql<{ name: string; setting: string }[]>`
      select name, setting from pg_settings where name in ${sql(settingNames)}`;
    const off = rows.filter(({ setting }) => setting === 'off').map((row) => row.name);
    const isWhole = rows.length === settingNames.length;
    verdict =
      off.length > 0 || !isWhole
        ? new DurabilityError(`The database may lose commits: ${off.join(', ') || 'settings not shown'} off.`)
        : 'durable';
    if (verdict !== 'durable') logger.fatal({ settings: off }, 'the database may lose what it has committed: refused');
  }

  function askLater(): void {
    if (isStopped) return;
    timer = setTimeout(() => {
      ask().catch((error: unknown) => {
        logger.warn({ err: error }, 'the database does not answer yet');
        askLater();
      });
    }, retryMs);
    timer.unref();
  }

  return {
    async start() {
      try {
        await ask();
      } catch (error) {
        logger.warn({ err: error }, 'the database does not answer yet');
        askLater();
      }
      if (verdict instanceof DurabilityError) throw verdict;
    },
    require() {
      if (verdict === 'durable') return undefined;
      const cause = verdict === 'unknown' ? new Error('The database has not answered yet.') : verdict;
      return Promise.reject(commonErrors.UNAVAILABLE({ cause, retryAfterMs }));
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
