// `npm run limits:flush`: resets every rate limit counter (S1.1e). Lockouts and revocations stay.
import { join } from 'node:path';
import type { EngineUrls } from './engines/index.ts';
import { readJson } from './support/files.ts';
import { resetLimits } from './support/limits.ts';
import { readOptions } from './support/options.ts';

const help = `Usage: npm run limits:flush [-- --data DIR]

Resets every rate limit counter in the Redis of REDIS_URL, or in that of npm start in DIR (default .data).
`;

const { data } = readOptions(help, { data: { type: 'string', default: '.data' } });
const url = process.env['REDIS_URL'] ?? (await readJson<EngineUrls>(join(data, 'engines.json')))?.redisUrl;
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
