import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import {
  type ComponentHealthSchema,
  type GetSystemHealthRequest,
  type GetSystemHealthResponseSchema,
  HealthState,
} from '@strongroom/gen/strongroom/admin/v1/health_pb.ts';
import type { Call } from '@strongroom/platform/rpc';
import type { AuditLag } from './audit-lag.ts';
import type { HealthProbe, PartHealth } from './service-health.ts';

const probeTimeoutMs = 2_000;
const lagSecondsMax = 30;

const protoStates = {
  healthy: HealthState.HEALTHY,
  degraded: HealthState.DEGRADED,
  unhealthy: HealthState.UNHEALTHY,
} as const;

/** Without these nothing works; the rest can be away for a while, and what needs it is degraded. */
const requiredParts: ReadonlySet<string> = new Set(['gateway', 'auth', 'payments', 'profile', 'admin', 'postgres']);

export interface HealthDeps {
  readonly probes: readonly HealthProbe[];
  readonly auditLag: () => Promise<AuditLag>;
}

/** Asks every part at once, none for longer than two seconds, and tells the worst that matters. */
export async function getSystemHealth(
  { probes, auditLag }: HealthDeps,
  _request: GetSystemHealthRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetSystemHealthResponseSchema>> {
  const [parts, lag] = await Promise.all([
    Promise.all(probes.map((probe) => askPart(probe, call.signal))),
    askLag(auditLag),
  ]);
  const components = [...parts, lag.component];
  return {
    state: worstOf(components),
    components: components.map(({ health, ...component }) => ({
      ...component,
      state: protoStates[health.state],
      reasons: [...health.reasons],
    })),
    auditLagEvents: BigInt(lag.events),
    auditLagSeconds: lag.seconds,
    checkTime: timestampNow(),
  };
}

interface AskedPart extends Pick<MessageInitShape<typeof ComponentHealthSchema>, 'name' | 'latencyMs'> {
  readonly name: string;
  readonly health: PartHealth;
}

async function askPart(probe: HealthProbe, signal: AbortSignal): Promise<AskedPart> {
  const startMs = performance.now();
  const health = await probe
    .ask(AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]))
    // The error's text may name hosts: it is for nobody.
    .catch((): PartHealth => ({ state: 'unhealthy', reasons: ['does not answer'] }));
  return { name: probe.name, health, latencyMs: performance.now() - startMs };
}

async function askLag(auditLag: HealthDeps['auditLag']) {
  const startMs = performance.now();
  const asked = await auditLag().catch(() => undefined);
  const reasons = asked ? reasonsOfLag(asked) : ['the lag of the audit log is not known'];
  const health: PartHealth = { state: reasons.length === 0 ? 'healthy' : 'degraded', reasons };
  const component: AskedPart = { name: 'audit_log', health, latencyMs: performance.now() - startMs };
  return { component, events: asked?.events ?? 0, seconds: asked?.seconds ?? 0 };
}

function reasonsOfLag({ seconds, parked }: AuditLag): string[] {
  const late = seconds > lagSecondsMax ? [`events wait for ${Math.round(seconds)} seconds`] : [];
  return parked > 0 ? [...late, `${parked} messages are parked`] : late;
}

function worstOf(components: readonly AskedPart[]): HealthState {
  const isDown = components.some(({ name, health }) => health.state === 'unhealthy' && requiredParts.has(name));
  if (isDown) return HealthState.UNHEALTHY;
  return components.every(({ health }) => health.state === 'healthy') ? HealthState.HEALTHY : HealthState.DEGRADED;
}
