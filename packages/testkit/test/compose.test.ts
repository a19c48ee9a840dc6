import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { parse } from 'yaml';
import { gatewayVariables } from '../../../gateway/src/config.ts';
import { repositoryRoot } from '../../../scripts/database/migrations.ts';
import { adminVariables } from '../../../services/admin/src/config.ts';
import { authVariables } from '../../../services/auth/src/config.ts';
import { paymentsVariables } from '../../../services/payments/src/config.ts';
import { profileVariables } from '../../../services/profile/src/config.ts';

interface Container {
  image: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  pids_limit?: number;
  ports?: string[];
  networks?: string[];
  command?: string[];
  environment?: Record<string, string>;
  volumes?: (string | { source: string; target: string })[];
  depends_on?: Record<string, unknown>;
  healthcheck?: { test: string[] };
}

const compose = parse(readFileSync(join(repositoryRoot, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, Container>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
};
const containers = Object.entries(compose.services);

test('house: every container is held down: no root, no rights, nothing to write but its volumes', (t) => {
  for (const [name, container] of containers) {
    t.equal(container.read_only, true, `${name} has a read-only file system`);
    t.strictSame(container.cap_drop, ['ALL'], `${name} has no capability`);
    t.match(container.security_opt, ['no-new-privileges:true'], `${name} gains no privilege`);
    t.ok(Number(container.pids_limit) > 0, `${name} can't fork without end`);
    if (name !== 'jaeger') t.match(container.user, /^[1-9]\d*:\d+$/, `${name} is not root`);
    for (const port of container.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${name} is published on loopback only`);
  }
  t.equal(compose.networks['inside']?.internal, true);
  const wayOut = containers.filter(([, { networks }]) => networks?.includes('outside')).map(([name]) => name);
  t.same(wayOut.toSorted(), ['gateway', 'grafana', 'jaeger', 'payments', 'prometheus'], 'nobody else has a way out');
  for (const engine of ['postgres', 'redis', 'nats']) {
    t.strictSame(compose.services[engine]?.networks, ['inside'], `${engine} has no way out`);
    t.equal(compose.services[engine]?.ports, undefined, `${engine} is not published`);
  }
  t.end();
});

test('house: what is mounted from the repository exists, images are pinned, and whoever serves is asked how it is', (t) => {
  // The image of Jaeger has neither a shell nor a client for HTTP.
  const unasked = ['jaeger', 'prepare', 'migrate'];
  for (const [name, container] of containers) {
    for (const volume of container.volumes ?? []) {
      const source = typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source;
      if (source.startsWith('.')) t.ok(existsSync(join(repositoryRoot, source)), `${name}: ${source}`);
    }
    if (container.image !== 'strongroom')
      t.match(container.image, /:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/, `${name} is pinned`);
    if (!unasked.includes(name)) t.ok(container.healthcheck, `${name} has a health check`);
  }
  t.end();
});

test('house: a container mounts its own credentials and no other', (t) => {
  for (const [name, container] of containers) {
    if (name === 'prepare') continue;
    const sources = (container.volumes ?? []).map((volume) =>
      typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source,
    );
    for (const source of sources) {
      if (source.startsWith('secrets-')) t.equal(source, `secrets-${name}`);
      if (source === 'deployment') t.equal(name, 'migrate', 'only migrations know all roles');
      if (!source.startsWith('.')) t.ok(source in compose.volumes, `${source} is declared`);
    }
  }
  const text = readFileSync(join(repositoryRoot, 'docker-compose.yml'), 'utf8');
  t.notMatch(text, /(password|secret|key): ['"]?[A-Za-z0-9+/]{12,}['"]?$/im, 'no credential stands in the file');
  t.end();
});

test('house: what runs exists, and is told nothing that it does not know', (t) => {
  const documented = (path: string, pattern: RegExp) =>
    Object.fromEntries(
      [...readFileSync(join(repositoryRoot, path), 'utf8').matchAll(pattern)].map(([name]) => [name, {}]),
    );
  const schemas: Record<string, object> = {
    witness: documented('packages/tlog/src/witness/config.ts', /\bWITNESS_[A-Z_]+\b/g),
    'psp-sandbox': documented('packages/psp-sandbox/src/config.ts', /\bPSP_[A-Z_]+\b/g),
    auth: authVariables,
    payments: paymentsVariables,
    profile: profileVariables,
    admin: adminVariables,
    gateway: gatewayVariables,
  };
  // Of Node's own loading and of OpenTelemetry, not of our configuration.
  const others = new Set(['STRONGROOM_ENVIRONMENT_FILE', 'OTEL_SERVICE_NAME']);
  for (const [name, container] of containers) {
    for (const part of container.command ?? []) {
      if (part.endsWith('.ts'))
        t.ok(existsSync(join(repositoryRoot, part.replace(/^\/app\//, ''))), `${name}: ${part}`);
    }
    for (const other of Object.keys(container.depends_on ?? {})) t.ok(other in compose.services, `${name} → ${other}`);
    const schema = schemas[name];
    if (schema === undefined) continue;
    for (const variable of Object.keys(container.environment ?? {})) {
      t.ok(variable in schema || others.has(variable), `${name} knows ${variable}`);
    }
  }
  t.end();
});
