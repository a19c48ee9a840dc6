import { decide, type RateDecision, type RateRule } from './sliding-window.ts';

/** The part of ioredis that is used. */
export interface LimitStore {
  eval(script: string, keyCount: number, ...parts: (string | number)[]): Promise<unknown>;
  scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', size: number): Promise<[string, string[]]>;
  unlink(...keys: string[]): Promise<number>;
}

/**
 * Reads and counts in one step, by the clock of Redis, so that all instances share one budget (S1.1a). Answers the counts
 * before the request and that clock: the decision itself is the same code as without Redis.
 */
const TAKE_SCRIPT = `
local max, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local index = math.floor(now / window)
local stored = redis.call('HMGET', KEYS[1], 'w', 'c', 'p')
local current, previous = 0, 0
local storedIndex = tonumber(stored[1])
if storedIndex == index then
  current, previous = tonumber(stored[2]), tonumber(stored[3])
elseif storedIndex == index - 1 then
  previous = tonumber(stored[2])
end
local used = math.ceil(previous * (window - (now - index * window)) / window) + current
local after = current
if used < max then after = current + 1 end
redis.call('HSET', KEYS[1], 'w', index, 'c', after, 'p', previous)
redis.call('PEXPIRE', KEYS[1], 2 * window)
return {tostring(index), current, previous, tostring(now)}
`;

const SCAN_SIZE = 500;

export function createRedisWindows(redis: LimitStore, timeoutMs: number) {
  return async (key: string, rule: RateRule): Promise<RateDecision> => {
    const answer = await within(redis.eval(TAKE_SCRIPT, 1, key, rule.max, rule.windowMs), timeoutMs);
    const [windowIndex, current, previous, nowMs] = (answer as (string | number)[]).map(Number);
    if (windowIndex === undefined || current === undefined || previous === undefined || nowMs === undefined) {
      throw new Error('the limit script answered something else');
    }
    return decide({ windowIndex, current, previous }, rule, nowMs);
  };
}

/** Forgets every counter (S1.1e). Answers how many there were. */
export async function flushLimits(redis: LimitStore): Promise<number> {
  let cursor = '0';
  let count = 0;
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', 'rl:*', 'COUNT', SCAN_SIZE);
    if (keys.length > 0) count += await redis.unlink(...keys);
    cursor = next;
  } while (cursor !== '0');
  return count;
}

/**
 * ioredis keeps commands while it is not connected; a call can't wait for that. After a stall of this process timers run
 * before sockets are read, so an answer that came in time is waiting behind its own timeout: what is there is read first.
 * Otherwise a busy instance, not a dead Redis, would split the budget.
 */
function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no answer within ${timeoutMs} ms`));
    const timer = setTimeout(() => setImmediate(late), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
