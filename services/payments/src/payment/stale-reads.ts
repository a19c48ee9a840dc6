import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { hmacSha256, type Keyring } from '@strongroom/platform/crypto';
import { isServiceError } from '@strongroom/platform/errors';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';

/** The part of ioredis that is used. */
export interface ReadCache {
  getBuffer(key: string): Promise<Buffer | null>;
  set(key: string, value: Buffer, expiryMode: 'EX', seconds: number): Promise<unknown>;
}

export interface StaleReadsOptions {
  readonly cache: ReadCache;
  readonly keyring: Keyring;
  readonly ttlS: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface StaleReads {
  /**
   * The answer from the database, kept for a while; or, while the database can't be reached, the one that was kept for
   * the same person and question.
   */
  read<Schema extends DescMessage>(
    question: Question<Schema>,
  ): Promise<{ message: MessageShape<Schema>; stale: boolean }>;
}

export interface Question<Schema extends DescMessage> {
  readonly kind: string;
  /** Who asks for what, whole: no answer is ever given to another question (fault 28). */
  readonly parts: readonly string[];
  readonly schema: Schema;
  readonly ask: () => Promise<MessageShape<Schema>>;
}

/** S5.3: degraded, not down. What is kept is sealed, bound to its question, and never used while the database answers. */
export function createStaleReads({ cache, keyring, ttlS, logger, metrics }: StaleReadsOptions): StaleReads {
  const keyOf = ({ kind, parts }: Question<DescMessage>) =>
    `payments:stale:${kind}:${hmacSha256(keyring.subkey('stale-reads'), JSON.stringify(parts)).toString('base64url')}`;

  function keep(key: string, bytes: Uint8Array): void {
    if (ttlS === 0) return;
    cache.set(key, keyring.seal('stale-reads', bytes, key), 'EX', ttlS).catch((error: unknown) => {
      logger.debug({ err: error }, 'a read could not be kept');
    });
  }

  return {
    async read(question) {
      const key = keyOf(question);
      try {
        const message = await question.ask();
        keep(key, toBinary(question.schema, message));
        return { message, stale: false };
      } catch (error) {
        if (!isServiceError(error, 'UNAVAILABLE')) throw error;
        const kept = await cache.getBuffer(key).catch(() => null);
        if (kept === null) throw error;
        metrics.increment('stale_reads_total', { kind: question.kind });
        return { message: fromBinary(question.schema, keyring.open('stale-reads', kept, key)), stale: true };
      }
    },
  };
}
