import { Redis } from 'ioredis';
import { identityOf, isSameProcess } from '../../../scripts/support/process-table.ts';
import { until } from './wait.ts';

const leaseTimeoutMs = 120_000;
const leaseLifetimeS = 3_600;

/** Takes the lease only from the holder that was looked at: another process may have been quicker. */
const stealScript = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3]) return 1 end
return 0`;
const releaseScript = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

export interface Lease {
  readonly index: number;
  release(): Promise<void>;
}

/**
 * One of `count` shares of an engine, for this process alone. Test files run in parallel processes, on engines that
 * several people may share, so who holds what is written in the shared Redis; what a dead process held is taken over.
 */
export async function takeLease(redisUrl: string, kind: string, count: number, first = 0): Promise<Lease> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 2 });
  redis.on('error', () => undefined);
  const { pid, started } = identityOf(process.pid);
  const holder = `${pid}:${started}:${Math.random()}`;
  try {
    const index = await until(() => tryLease(redis, kind, first, count, holder), {
      timeoutMs: leaseTimeoutMs,
      intervalMs: 200,
      what: `a free ${kind} for the test`,
    });
    return {
      index: Number(index),
      async release() {
        await redis.eval(releaseScript, 1, keyOf(kind, Number(index)), holder);
        redis.disconnect();
      },
    };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** A string, so that index 0 counts as found. */
async function tryLease(
  redis: Redis,
  kind: string,
  first: number,
  count: number,
  holder: string,
): Promise<string | undefined> {
  const start = await redis.incr(`testkit:next:${kind}`);
  for (let step = 0; step < count; step += 1) {
    const index = first + ((start + step) % count);
    const key = keyOf(kind, index);
    if ((await redis.set(key, holder, 'EX', leaseLifetimeS, 'NX')) === 'OK') return String(index);
    const held = (await redis.get(key)) ?? '';
    if (isHeldByLivingProcess(held)) continue;
    if ((await redis.eval(stealScript, 1, key, held, holder, leaseLifetimeS)) === 1) return String(index);
  }
  return undefined;
}

function isHeldByLivingProcess(holder: string): boolean {
  const [pid = '', started = ''] = holder.split(':');
  return isSameProcess({ pid: Number(pid), started });
}

function keyOf(kind: string, index: number): string {
  return `testkit:lease:${kind}:${index}`;
}
