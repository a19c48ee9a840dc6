import { decide, type RateDecision, type RateRule, type Slot, type Slots, slotMs } from './sliding-window.ts';

/** The part of ioredis that is used. */
export interface LimitStore {
  eval(script: string, keyCount: number, ...parts: (string | number)[]): Promise<unknown>;
  scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', size: number): Promise<[string, string[]]>;
  unlink(...keys: string[]): Promise<number>;
}

/**
 * Reads and counts in one step, by the clock of Redis, so that all instances share one budget (S1.1a). Answers that clock
 * and the slots before the request, each as time and count: the decision itself is the same code as without Redis.
 */
const TAKE_SCRIPT = `
local max, window, slot = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('GET', KEYS[1])
local slots, answer, used = {}, {now}, 0
local all = stored and cmsgpack.unpack(stored) or {}
for index = 1, #all, 2 do
  if all[index] > now - window then
    for _, part in ipairs({all[index], all[index + 1]}) do
      slots[#slots + 1] = part
      answer[#answer + 1] = part
    end
    used = used + all[index + 1]
  end
end
if used < max then
  local newest = #slots - 1
  if newest > 0 and math.floor(slots[newest] / slot) == math.floor(now / slot) then
    slots[newest] = now
    slots[newest + 1] = slots[newest + 1] + 1
  else
    slots[#slots + 1] = now
    slots[#slots + 1] = 1
  end
  redis.call('SET', KEYS[1], cmsgpack.pack(slots), 'PX', window)
end
return answer
`;

const SCAN_SIZE = 500;

export function createRedisWindows(redis: LimitStore, timeoutMs: number) {
  return async (key: string, rule: RateRule): Promise<RateDecision> => {
    const answer = await within(redis.eval(TAKE_SCRIPT, 1, key, rule.max, rule.windowMs, slotMs(rule)), timeoutMs);
    const [nowMs, ...parts] = answer as number[];
    if (nowMs === undefined) throw new Error('the limit script answered nothing');
    return decide(slotsOf(parts), rule, nowMs);
  };
}

function slotsOf(parts: readonly number[]): Slots {
  const slots: Slot[] = [];
  for (let index = 0; index < parts.length; index += 2)
    slots.push({ lastMs: parts[index] ?? 0, count: parts[index + 1] ?? 0 });
  return slots;
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
