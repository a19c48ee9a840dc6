// `npm run limits:flush`: resets every rate limit counter (S1.1e). Lockouts and revocations stay.
import { flushLimits } from '@strongroom/platform/limits';
import { Redis } from 'ioredis';
import type { EngineUrls } from './engines/index.ts';
import { readJson } from './support/files.ts';

const connectTimeoutMs = 3_000;

if (process.argv.includes('--help')) {
  console.log('Usage: npm run limits:flush\n\nUses REDIS_URL, else the Redis of .data/engines.json.');
  process.exit(0);
}
const url = process.env['REDIS_URL'] ?? (await readJson<EngineUrls>('.data/engines.json'))?.redisUrl;
if (url === undefined) {
  console.error('limits:flush: set REDIS_URL, or start the system first (npm start).');
  process.exit(1);
}
const redis = new Redis(url, { connectTimeout: connectTimeoutMs, maxRetriesPerRequest: 1, lazyConnect: true });
redis.on('error', () => undefined);
try {
  await redis.connect();
  console.log(`Reset ${await flushLimits(redis)} counters.`);
} catch (error) {
  console.error(`limits:flush: Redis can't be reached: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  redis.disconnect();
}
