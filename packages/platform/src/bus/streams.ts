import { DiscardPolicy, type JetStreamManager, nanos, RetentionPolicy, StorageType, type StreamConfig } from 'nats';

const hourMs = 3_600_000;
const duplicateWindowMs = 120_000;
const messageBytesMax = 1_048_576;
/** Less than the stream's own limit, which counts headers too. */
export const payloadBytesMax = messageBytesMax - 8_192;
const messagesMax = 1_000_000;

interface StreamDefinition {
  readonly name: StreamName;
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
}

export type StreamName = 'EVENTS' | 'NOTICES';

/**
 * The streams are transport, not truth (faults.md, 1): what they drop by age or number is still in an outbox, which
 * sends it again. That is why old messages go and not new ones refused.
 */
export const streamDefinitions: readonly StreamDefinition[] = [
  { name: 'EVENTS', subjects: ['strongroom.events.>'], maxAgeMs: 72 * hourMs },
  { name: 'NOTICES', subjects: ['strongroom.notices.>'], maxAgeMs: 24 * hourMs },
];

function configOf({ name, subjects, maxAgeMs }: StreamDefinition, replicas: number): Partial<StreamConfig> {
  return {
    name,
    subjects: [...subjects],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(maxAgeMs),
    max_msgs: messagesMax,
    max_msg_size: messageBytesMax,
    duplicate_window: nanos(duplicateWindowMs),
    // Nobody may take single messages out of the record on its way.
    deny_delete: true,
    num_replicas: replicas,
  };
}

export interface StreamState {
  readonly name: StreamName;
  /** When the server made it: whatever was published before is not in it. */
  readonly createTime: Date;
  readonly wasMissing: boolean;
}

const notFoundCode = 404;

/** Makes the streams that are missing; several processes at once do no harm, because all make the same. */
export async function ensureStreams(manager: JetStreamManager, replicas: number): Promise<StreamState[]> {
  const states: StreamState[] = [];
  for (const definition of streamDefinitions) {
    const found = await manager.streams.info(definition.name).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const info = found ?? (await manager.streams.add(configOf(definition, replicas)));
    states.push({ name: definition.name, createTime: new Date(info.created), wasMissing: found === undefined });
  }
  return states;
}

export function isNotFound(error: unknown): boolean {
  const api = (error as { api_error?: { code?: number } } | undefined)?.api_error;
  return api?.code === notFoundCode;
}
