// `node scripts/dashboards.ts`: writes ops/grafana/*.json, which Grafana is provisioned with. A test compares them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toGrafana } from '../ops/grafana/dashboard.ts';
import { operationsDashboard } from '../ops/grafana/operations.ts';
import { securityDashboard } from '../ops/grafana/security.ts';

/** Path from the root of the repository, and content. */
export function dashboardFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const dashboard of [securityDashboard, operationsDashboard]) {
    files.set(`ops/grafana/${dashboard.uid}.json`, `${JSON.stringify(toGrafana(dashboard), undefined, 2)}\n`);
  }
  return files;
}

if (import.meta.main) {
  for (const [path, content] of dashboardFiles()) writeFileSync(join(import.meta.dirname, '..', path), content);
}
