import { flushLimits } from '@strongroom/platform/limits';
import { Redis } from 'ioredis';

const connectTimeoutMs = 3_000;

/** Resets every rate limit counter (S1.1e) and says how many there were. Throws if Redis can't be reached. */
export async function resetLimits(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl, { connectTimeout: connectTimeoutMs, maxRetriesPerRequest: 1, lazyConnect: true });
  // Said by the call that fails; without a listener it would end the process.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await flushLimits(redis);
  } finally {
    redis.disconnect();
  }
}
