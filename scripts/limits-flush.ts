// `npm run limits:flush`: resets every rate limit counter (S1.1e). Lockouts and revocations stay.
import type { EngineUrls } from './engines/index.ts';
import { readJson } from './support/files.ts';
import { resetLimits } from './support/limits.ts';

if (process.argv.includes('--help')) {
  console.log('Usage: npm run limits:flush\n\nUses REDIS_URL, else the Redis of .data/engines.json.');
  process.exit(0);
}
const url = process.env['REDIS_URL'] ?? (await readJson<EngineUrls>('.data/engines.json'))?.redisUrl;
if (url === undefined) {
  console.error('limits:flush: set REDIS_URL, or start the system first (npm start).');
  process.exit(1);
}
try {
  console.log(`Reset ${await resetLimits(url)} counters.`);
} catch (error) {
  console.error(`limits:flush: Redis can't be reached: ${(error as Error).message}`);
  process.exitCode = 1;
}
