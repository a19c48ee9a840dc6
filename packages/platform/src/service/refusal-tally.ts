import type { Act } from '../database/index.ts';
import type { ResourceType } from '../events/index.ts';

/** A refusal of a caller who is nobody known. */
export interface AnonymousRefusal {
  readonly act: Act;
  /** `strongroom.auth.v1.AuthService/GetMe`. */
  readonly method: string;
  readonly reason: string;
  readonly resourceType: ResourceType;
  /** Whose token it was, where it was a genuine one (expired, revoked). */
  readonly subjectId?: string | undefined;
}

/** Refusals alike: who, why, and how many since the last record of them. */
export interface RefusalCount extends AnonymousRefusal {
  readonly count: number;
}

export interface RefusalTallyOptions {
  readonly record: (refusals: RefusalCount) => Promise<void>;
  readonly windowMs?: number;
  readonly kindsMax?: number;
}

const windowMsDefault = 60_000;
/** Of a window. What is recorded in a minute is twice this at most, and one for each reason beyond. */
const kindsMaxDefault = 500;

/**
 * Keeps refusals of anonymous callers from being a weapon: anyone may send a million calls without a token, and each
 * would be a write, an event and a leaf of the log for good. The first from an address for a reason is recorded at once,
 * with its trace; those alike within the window are counted, and recorded as one at its end. Of more addresses than
 * `kindsMax` only the number is kept.
 */
export class RefusalTally {
  readonly #options: Required<RefusalTallyOptions>;
  readonly #counts = new Map<string, RefusalCount>();
  readonly #records = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ record, windowMs = windowMsDefault, kindsMax = kindsMaxDefault }: RefusalTallyOptions) {
    this.#options = { record, windowMs, kindsMax };
  }

  note(refusal: AnonymousRefusal): void {
    const { act, reason, subjectId = '' } = refusal;
    this.#timer ??= setTimeout(() => this.#endWindow(), this.#options.windowMs).unref();
    const kind = JSON.stringify([act.ipAddress, reason, subjectId]);
    if (this.#counts.has(kind)) {
      this.#count(kind, refusal);
    } else if (this.#counts.size < this.#options.kindsMax) {
      this.#counts.set(kind, { ...refusal, count: 0 });
      this.#record({ ...refusal, count: 1 });
    } else {
      this.#count(reason, fromManyAddresses(refusal));
    }
  }

  /** Records what is still counted. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#endWindow();
    await Promise.all(this.#records);
  }

  #count(kind: string, refusal: AnonymousRefusal): void {
    const count = (this.#counts.get(kind)?.count ?? 0) + 1;
    this.#counts.set(kind, { ...refusal, count });
  }

  #endWindow(): void {
    this.#timer = undefined;
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    for (const refusals of counts) if (refusals.count > 0) this.#record(refusals);
  }

  #record(refusals: RefusalCount): void {
    const record = this.#options.record(refusals).finally(() => this.#records.delete(record));
    this.#records.add(record);
  }
}

function fromManyAddresses(refusal: AnonymousRefusal): AnonymousRefusal {
  const act = { ...refusal.act, ipAddress: '', userAgent: '', deviceId: '' };
  return { ...refusal, act, subjectId: undefined };
}
