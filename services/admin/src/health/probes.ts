import type { Bus } from '@strongroom/platform/bus';
import type { Database } from '@strongroom/platform/database';
import type { ServiceIdentity } from '@strongroom/platform/identity';
import type { Health } from '@strongroom/platform/process';
import type { AdminConfig } from '../config.ts';
import type { Checkpointer } from '../transparency/checkpointer.ts';
import { createOwnProbe, createServiceProbe, type HealthProbe } from './service-health.ts';

const cosignatureAgeSMax = 900;

export interface ProbeDeps {
  readonly config: AdminConfig;
  readonly identity: ServiceIdentity | undefined;
  readonly database: Database;
  readonly auditDatabase: Database;
  readonly redis: { ping(): Promise<unknown> };
  readonly bus: Bus;
  readonly health: Health;
  readonly checkpointer: Checkpointer;
}

/** Every part of the system, by the names that GetSystemHealth answers. */
export function createProbes(deps: ProbeDeps): HealthProbe[] {
  const { config, identity, database, auditDatabase, redis, bus, checkpointer } = deps;
  const services = [
    ['gateway', config.PUBLIC_URL],
    ['auth', config.AUTH_URL],
    ['payments', config.PAYMENTS_URL],
    ['profile', config.PROFILE_URL],
  ] as const;
  return [
    ...services.flatMap(([name, url]) => (url === undefined ? [] : [createServiceProbe({ name, url, identity })])),
    createAdminProbe(deps.health),
    createOwnProbe('postgres', async () => {
      await Promise.all([database.check(), auditDatabase.check()]);
    }),
    createOwnProbe('redis', () => redis.ping()),
    createOwnProbe('nats', () => bus.check()),
    ...(config.WITNESS_URL === undefined ? [] : [createWitnessProbe(checkpointer, config.CHECKPOINT_HEARTBEAT_S)]),
  ];
}

function createAdminProbe(health: Health): HealthProbe {
  return {
    name: 'admin',
    async ask() {
      const { status, checks } = await health.report();
      const reasons = checks
        .filter((check) => check.status === 'failing')
        .map(({ name, reason }) => `${name}: ${reason}`);
      return { state: status === 'ok' ? 'healthy' : status === 'degraded' ? 'degraded' : 'unhealthy', reasons };
    },
    close: async () => undefined,
  };
}

/** The witness is well if it cosigns: its last cosignature says more than an answer of its own. */
function createWitnessProbe(checkpointer: Checkpointer, heartbeatS: number): HealthProbe {
  return {
    name: 'witness',
    async ask() {
      const latest = await checkpointer.latest();
      if (latest && latest.ageSeconds <= cosignatureAgeSMax + heartbeatS) return { state: 'healthy', reasons: [] };
      return { state: 'unhealthy', reasons: ['has not cosigned the log for a while'] };
    },
    close: async () => undefined,
  };
}
