import { createServiceDispatcher, type ServiceDispatcher, type ServiceIdentity } from '@strongroom/platform/identity';

/** What a part says about itself, or why it can't be asked. */
export interface PartHealth {
  readonly state: 'healthy' | 'degraded' | 'unhealthy';
  readonly reasons: readonly string[];
}

export interface HealthProbe {
  readonly name: string;
  ask(signal: AbortSignal): Promise<PartHealth>;
  close(): Promise<void>;
}

const answerBytesMax = 65_536;
const reasonsMax = 10;
const reasonCharactersMax = 120;

/** Asks a service's /healthz over kept-alive connections with our certificate (older fault 47: one for each call). */
export function createServiceProbe(options: {
  readonly name: string;
  readonly url: string;
  readonly identity: ServiceIdentity | undefined;
}): HealthProbe {
  let dispatcher: ServiceDispatcher | undefined;
  return {
    name: options.name,
    async ask(signal) {
      // Not before it is asked: a process without an identity can start, and says here that it reaches nobody.
      dispatcher ??= createServiceDispatcher({ ...options, connectionsMax: 2 });
      const { body } = await dispatcher.current().request({ path: '/healthz', method: 'GET', signal });
      const text = await body.text();
      return text.length > answerBytesMax
        ? { state: 'unhealthy', reasons: ['answers at too great length'] }
        : readReport(text);
    },
    close: async () => dispatcher?.close(),
  };
}

/** A check of this process's own. */
export function createOwnProbe(name: string, check: () => Promise<unknown>): HealthProbe {
  return {
    name,
    async ask() {
      await check();
      return { state: 'healthy', reasons: [] };
    },
    close: async () => undefined,
  };
}

const stateOfStatus: Readonly<Record<string, PartHealth['state']>> = {
  ok: 'healthy',
  degraded: 'degraded',
  failing: 'unhealthy',
};

/** Another process's text: bounded, and believed only as far as it has the form of a report. */
export function readReport(text: string): PartHealth {
  let report: { status?: unknown; checks?: unknown };
  try {
    report = JSON.parse(text);
  } catch {
    return { state: 'unhealthy', reasons: ['answers no report'] };
  }
  const state = stateOfStatus[String(report?.status)] ?? 'unhealthy';
  const checks: unknown[] = Array.isArray(report?.checks) ? report.checks : [];
  const reasons = checks.flatMap((check) => {
    const { name, status, reason } = (check ?? {}) as Record<string, unknown>;
    return status === 'failing' ? [`${String(name)}: ${String(reason)}`.slice(0, reasonCharactersMax)] : [];
  });
  return { state, reasons: reasons.slice(0, reasonsMax) };
}
