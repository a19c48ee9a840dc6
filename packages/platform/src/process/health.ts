export type CheckStatus = 'ok' | 'failing';

/** Resolves while the dependency works; throws or answers a reason when it doesn't. */
export type Check = () => Promise<string | undefined | undefined> | string | undefined | Promise<unknown>;

export interface CheckOptions {
  /** A failing required check makes the process not ready; others only degrade it. */
  readonly required?: boolean;
  /** How long an answer is kept. */
  readonly cacheMs?: number;
  readonly timeoutMs?: number;
}

export interface CheckReport {
  readonly name: string;
  readonly status: CheckStatus;
  readonly required: boolean;
  /** Short and without addresses: it may be shown to whoever asks /healthz. */
  readonly reason: string;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly checks: readonly CheckReport[];
}

export interface Health {
  add(name: string, check: Check, options?: CheckOptions): void;
  remove(name: string): void;
  /** Whether the process itself works: never asks a dependency, so an outage doesn't restart everything (F11). */
  live(): boolean;
  /** Ready: started, not closing, and all required checks hold. */
  ready(): Promise<boolean>;
  report(): Promise<HealthReport>;
  setStarted(isStarted: boolean): void;
  setClosing(): void;
  /** Told when readiness changes at a look at it. */
  onChange(listener: (isReady: boolean) => void): void;
}

const cacheMsDefault = 1_000;
const timeoutMsDefault = 2_000;
const reasonLengthMax = 120;

interface Entry {
  readonly name: string;
  readonly check: Check;
  readonly required: boolean;
  readonly cacheMs: number;
  readonly timeoutMs: number;
  asked: Promise<CheckReport> | undefined;
  expireMs: number;
}

export interface HealthOptions {
  /** Told of each check's outcome, for the metric health_status. */
  readonly onCheck?: (report: CheckReport) => void;
  readonly now?: () => number;
}

export function createHealth(options: HealthOptions = {}): Health {
  const now = options.now ?? (() => performance.now());
  const entries = new Map<string, Entry>();
  const listeners: ((isReady: boolean) => void)[] = [];
  let isStarted = false;
  let isClosing = false;
  let wasReady: boolean | undefined;

  async function ask(entry: Entry): Promise<CheckReport> {
    if (entry.asked !== undefined && entry.expireMs > now()) return entry.asked;
    entry.expireMs = now() + entry.cacheMs;
    entry.asked = runCheck(entry);
    const report = await entry.asked;
    options.onCheck?.(report);
    return report;
  }

  async function report(): Promise<HealthReport> {
    const own: CheckReport[] = [];
    if (!isStarted) own.push({ name: 'process', status: 'failing', required: true, reason: 'starting' });
    if (isClosing) own.push({ name: 'process', status: 'failing', required: true, reason: 'closing' });
    const checks = [...own, ...(await Promise.all([...entries.values()].map(ask)))];
    const failing = checks.filter((check) => check.status === 'failing');
    const status = failing.some((check) => check.required) ? 'failing' : failing.length > 0 ? 'degraded' : 'ok';
    const isReady = status !== 'failing';
    if (wasReady !== isReady) {
      wasReady = isReady;
      for (const listener of listeners) listener(isReady);
    }
    return { status, checks };
  }

  return {
    add(name, check, { required = false, cacheMs = cacheMsDefault, timeoutMs = timeoutMsDefault } = {}) {
      entries.set(name, { name, check, required, cacheMs, timeoutMs, asked: undefined, expireMs: 0 });
    },
    remove: (name) => void entries.delete(name),
    live: () => true,
    ready: async () => (await report()).status !== 'failing',
    report,
    setStarted(value) {
      isStarted = value;
    },
    setClosing() {
      isClosing = true;
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

async function runCheck(entry: Entry): Promise<CheckReport> {
  const { name, required } = entry;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, entry.timeoutMs, 'no answer in time');
  });
  try {
    const reason = await Promise.race([Promise.resolve().then(entry.check), timeout]);
    if (typeof reason !== 'string' || reason === '') return { name, status: 'ok', required, reason: '' };
    return { name, status: 'failing', required, reason: reason.slice(0, reasonLengthMax) };
  } catch {
    // The error's text may name hosts or SQL, and this answer is public.
    return { name, status: 'failing', required, reason: 'unavailable' };
  } finally {
    clearTimeout(timer);
  }
}
