import { join } from 'node:path';
import { gatewayVariables } from '../../gateway/src/config.ts';
import { adminVariables } from '../../services/admin/src/config.ts';
import { authVariables } from '../../services/auth/src/config.ts';
import { paymentsVariables } from '../../services/payments/src/config.ts';
import { profileVariables } from '../../services/profile/src/config.ts';
import type { EngineUrls } from '../engines/index.ts';
import { loopback } from '../support/ports.ts';
import type { SystemDatabases } from './databases.ts';
import type { SystemSecrets } from './secrets.ts';

/** Ports of contract.md; each by NAME_PORT and NAME_METRICS_PORT. */
export const defaultPorts = {
  gateway: { port: 3000, metrics: 9464 },
  auth: { port: 3001, metrics: 9465 },
  payments: { port: 3002, metrics: 9466 },
  admin: { port: 3003, metrics: 9468 },
  profile: { port: 3004, metrics: 9467 },
  witness: { port: 3005 },
  'psp-sandbox': { port: 3010 },
} as const;

export type ProcessName = keyof typeof defaultPorts;

export interface ProcessPlan {
  readonly name: ProcessName;
  readonly entry: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly variable: string; readonly port: number }[];
  /** Polled until it answers 200; absent where the process has no such route. */
  readonly readyUrl?: string;
}

export interface PlanOptions {
  readonly dataDir: string;
  readonly engines: EngineUrls;
  readonly databases: SystemDatabases;
  readonly secrets: SystemSecrets;
  /** The starter's own environment: variables that a process knows are passed on. */
  readonly environment: NodeJS.ProcessEnv;
}

type Environment = Record<string, string>;

/** What to run and with which environment. A process gets its own secrets and no other's. */
export function planProcesses(options: PlanOptions): ProcessPlan[] {
  const { dataDir, environment } = options;
  const ports = portsOf(environment);
  const url = (name: ProcessName, scheme = 'https') => `${scheme}://${loopback}:${ports[name].port}`;
  /** As browsers and proofs name the edge. */
  const origins = [url('gateway', 'http'), `http://localhost:${ports.gateway.port}`];
  const mesh: Environment = {
    STRONGROOM_ENV: 'development',
    TLS_CA_FILE: join(dataDir, 'tls', 'ca.pem'),
    AUTH_URL: url('auth'),
    PAYMENTS_URL: url('payments'),
    PROFILE_URL: url('profile'),
    ADMIN_URL: url('admin'),
    PUBLIC_URL: url('gateway', 'http'),
  };
  const service = (name: 'gateway' | 'auth' | 'payments' | 'profile' | 'admin', own: Environment): ProcessPlan => ({
    name,
    entry: name === 'gateway' ? 'gateway/src/main.ts' : `services/${name}/src/main.ts`,
    environment: {
      ...mesh,
      TLS_CERT_FILE: join(dataDir, 'tls', `${name}.pem`),
      TLS_KEY_FILE: join(dataDir, 'tls', `${name}.key.pem`),
      ...own,
      ...passedOn(environment, schemas[name]),
      PORT: String(ports[name].port),
      METRICS_PORT: String(ports[name].metrics ?? 0),
    },
    ports: [
      { variable: variableOf(name, 'PORT'), port: ports[name].port },
      { variable: variableOf(name, 'METRICS_PORT'), port: ports[name].metrics ?? 0 },
    ],
    readyUrl: `${url(name, 'http')}/readyz`,
  });
  return [
    pspSandbox(options, ports['psp-sandbox'].port, url('gateway', 'http')),
    witness(options, ports.witness.port),
    service('auth', {
      ...stored(options, 'auth'),
      FIRST_ADMIN_FILE: join(dataDir, 'first-admin.json'),
      DPOP_ORIGINS: origins.join(),
      WEBAUTHN_ORIGINS: `http://localhost:${ports.gateway.port}`,
    }),
    service('admin', adminEnvironment(options, url('witness', 'http'))),
    service('payments', paymentsEnvironment(options, url('psp-sandbox', 'http'))),
    service('profile', { ...stored(options, 'profile'), MAILBOX_DIR: join(dataDir, 'mailbox') }),
    service('gateway', { REDIS_URL: options.engines.redisUrls.gateway, DPOP_ORIGINS: origins.join() }),
  ];
}

const schemas = {
  gateway: gatewayVariables,
  auth: authVariables,
  payments: paymentsVariables,
  profile: profileVariables,
  admin: adminVariables,
};

/** Set by the plan itself: a value of the starter's environment is meant for something else. */
const planned =
  /^(PORT|METRICS_PORT|HOST|DATABASE_URL|AUDIT_DATABASE_URL|REDIS_URL|NATS_URL|ENCRYPTION_MASTER_KEY|TLS_.*|(AUTH|PAYMENTS|PROFILE|ADMIN|PUBLIC|WITNESS)_URL|STRONGROOM_ENV)$/;

function passedOn(environment: NodeJS.ProcessEnv, schema: object): Environment {
  const passed: Environment = {};
  for (const name of Object.keys(schema)) {
    const value = environment[name];
    if (value !== undefined && !planned.test(name)) passed[name] = value;
  }
  return passed;
}

type StoringName = 'auth' | 'payments' | 'profile' | 'admin';

function stored({ engines, databases, secrets }: PlanOptions, name: StoringName): Environment {
  return {
    DATABASE_URL: databases[name].runtimeUrl,
    REDIS_URL: engines.redisUrls[name],
    NATS_URL: engines.natsUrls[name],
    ENCRYPTION_MASTER_KEY: secrets.masterKeys[name],
    NOTICE_KEY: secrets.noticeKey,
  };
}

function adminEnvironment(options: PlanOptions, witnessUrl: string): Environment {
  const { dataDir, databases } = options;
  return {
    ...stored(options, 'admin'),
    AUDIT_DATABASE_URL: databases.audit.runtimeUrl,
    AUDIT_KEYSTORE_DIR: join(dataDir, 'audit-keys'),
    LOG_KEY_FILE: join(dataDir, 'audit-log.key'),
    WITNESS_URL: witnessUrl,
    WITNESS_KEY_FILE: join(dataDir, 'witness', 'verifier-key.txt'),
  };
}

function paymentsEnvironment(options: PlanOptions, pspUrl: string): Environment {
  const { secrets } = options;
  return {
    ...stored(options, 'payments'),
    PSP_URL: pspUrl,
    PSP_API_KEY: secrets.pspApiKey,
    PSP_WEBHOOK_SECRET: secrets.pspWebhookSecret,
  };
}

function pspSandbox({ dataDir, secrets, environment }: PlanOptions, port: number, gatewayUrl: string): ProcessPlan {
  return {
    name: 'psp-sandbox',
    entry: 'packages/psp-sandbox/src/main.ts',
    environment: {
      PSP_SANDBOX_PORT: String(port),
      PSP_SANDBOX_DATA: join(dataDir, 'psp-journal.jsonl'),
      PSP_API_KEY: secrets.pspApiKey,
      PSP_WEBHOOK_SECRET: secrets.pspWebhookSecret,
      PSP_WEBHOOK_URL: environment['PSP_WEBHOOK_URL'] ?? `${gatewayUrl}/api/v1/webhooks/psp`,
    },
    ports: [{ variable: 'PSP_SANDBOX_PORT', port }],
    readyUrl: `http://${loopback}:${port}/readyz`,
  };
}

function witness({ dataDir }: PlanOptions, port: number): ProcessPlan {
  return {
    name: 'witness',
    entry: 'packages/tlog/src/witness/main.ts',
    environment: {
      WITNESS_NAME: 'strongroom.local/witness',
      WITNESS_DIRECTORY: join(dataDir, 'witness'),
      WITNESS_PORT: String(port),
      WITNESS_LOG_KEYS_FILE: join(dataDir, 'audit-log.key.pub'),
    },
    ports: [{ variable: 'WITNESS_PORT', port }],
  };
}

function portsOf(environment: NodeJS.ProcessEnv): Record<ProcessName, { port: number; metrics?: number }> {
  const read = (variable: string, fallback: number): number => {
    const text = environment[variable];
    if (text === undefined || text === '') return fallback;
    if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new Error(`${variable} must be a port.`);
    return Number(text);
  };
  return Object.fromEntries(
    Object.entries(defaultPorts).map(([name, ports]) => [
      name,
      {
        port: read(variableOf(name, 'PORT'), ports.port),
        ...('metrics' in ports ? { metrics: read(variableOf(name, 'METRICS_PORT'), ports.metrics) } : {}),
      },
    ]),
  ) as Record<ProcessName, { port: number; metrics?: number }>;
}

function variableOf(name: string, suffix: string): string {
  return `${name.toUpperCase().replaceAll('-', '_')}_${suffix}`;
}
