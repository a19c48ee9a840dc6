import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { Redis } from 'ioredis';
import { hmacSha256, type Keyring } from '../crypto/index.ts';
import { isServiceError } from '../errors/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

export type ReadCache = Pick<Redis, 'eval' | 'hgetBuffer'>;

export interface StaleReadsOptions {
  /** Of the service: begins the keys. */
  readonly name: string;
  readonly cache: ReadCache;
  readonly keyring: Keyring;
  /** How long a read is kept; 0 keeps none. */
  readonly ttlS: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly now?: () => number;
}

export interface Question<Schema extends DescMessage> {
  readonly kind: string;
  /** Who asks, about what is his to see. */
  readonly userId: string;
  /** All else that the answer depends on: no answer is ever given to another question (older fault 28). */
  readonly parts: readonly string[];
  readonly schema: Schema;
  readonly ask: () => Promise<MessageShape<Schema>>;
}

export interface StaleReads {
  /**
   * The answer from the database, kept for a while; or, while the database can't be reached, the one that was kept for
   * the same person and question. Who asks is verified by then, and that his token stands: without auth nobody gets here.
   */
  read<Schema extends DescMessage>(
    question: Question<Schema>,
  ): Promise<{ message: MessageShape<Schema>; stale: boolean }>;
  /**
   * Takes away all that is kept for a person, and what reads on their way would still keep. Throws if Redis can't: an
   * erasure calls it before its commit, so that it isn't done while anything is left.
   */
  forget(userId: string): Promise<void>;
}

const purpose = 'stale-reads';
/** Different questions of one person; beyond, what was kept gives way. */
const questionsMax = 32;
const timeBytes = 8;
/** Longer than any read takes, so that one on its way can't bring back what was forgotten. */
const forgottenS = 60;
const forgottenField = 'forgotten';

/** KEYS: of the person. ARGV: field, value, seconds, questionsMax. */
const keepScript = `
if redis.call('hexists', KEYS[1], '${forgottenField}') == 1 then return 0 end
if redis.call('hlen', KEYS[1]) >= tonumber(ARGV[4]) then redis.call('del', KEYS[1]) end
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
return redis.call('expire', KEYS[1], ARGV[3])`;

/** KEYS: of the person. ARGV: forgottenS. */
const forgetScript = `
redis.call('del', KEYS[1])
redis.call('hset', KEYS[1], '${forgottenField}', '1')
return redis.call('expire', KEYS[1], ARGV[1])`;

/**
 * S5.3: degraded, not down. What is kept is sealed, bound to its person and question, never used while the database
 * answers, and gone with the person's data.
 */
export function createStaleReads(options: StaleReadsOptions): StaleReads {
  const { name, cache, keyring, ttlS, logger, metrics, now = Date.now } = options;
  const digest = (text: string) => hmacSha256(keyring.subkey(purpose), text).toString('base64url');
  const keyOf = (userId: string) => `${name}:stale:${digest(userId)}`;
  const placeOf = ({ kind, userId, parts }: Question<DescMessage>) => {
    const field = `${kind}:${digest(JSON.stringify(parts))}`;
    return { key: keyOf(userId), field, aad: `${keyOf(userId)}:${field}` };
  };

  function keep(question: Question<DescMessage>, bytes: Uint8Array): void {
    if (ttlS === 0) return;
    const { key, field, aad } = placeOf(question);
    const time = Buffer.alloc(timeBytes);
    time.writeDoubleBE(now());
    const sealed = keyring.seal(purpose, Buffer.concat([time, bytes]), aad);
    cache.eval(keepScript, 1, key, field, sealed, ttlS, questionsMax).catch((error: unknown) => {
      logger.debug({ err: error }, 'a read could not be kept');
    });
  }

  /** undefined: nothing is kept that is young enough and can be opened. */
  async function find(question: Question<DescMessage>): Promise<Uint8Array | undefined> {
    const { key, field, aad } = placeOf(question);
    try {
      const sealed = await cache.hgetBuffer(key, field);
      if (sealed === null) return undefined;
      const kept = keyring.open(purpose, sealed, aad);
      // The key lives for as long as its person reads anything, and this read no longer than promised.
      return now() - kept.readDoubleBE() > ttlS * 1_000 ? undefined : kept.subarray(timeBytes);
    } catch (error) {
      logger.warn({ err: error }, 'a kept read could not be used');
      return undefined;
    }
  }

  return {
    async read(question) {
      try {
        const message = await question.ask();
        keep(question, toBinary(question.schema, message));
        return { message, stale: false };
      } catch (error) {
        if (!isServiceError(error, 'UNAVAILABLE')) throw error;
        const kept = await find(question);
        if (kept === undefined) throw error;
        metrics.increment('stale_reads_total', { kind: question.kind });
        return { message: fromBinary(question.schema, kept), stale: true };
      }
    },
    async forget(userId) {
      if (ttlS > 0) await cache.eval(forgetScript, 1, keyOf(userId), forgottenS);
    },
  };
}
