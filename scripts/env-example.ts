// `node scripts/env-example.ts`: prints .env.example from the configuration of the processes. A test compares the two.
import { type EnvSection, printEnvExample } from '@strongroom/platform/config';
import { gatewayVariables } from '../gateway/src/config.ts';
import { adminVariables } from '../services/admin/src/config.ts';
import { authVariables } from '../services/auth/src/config.ts';
import { paymentsVariables } from '../services/payments/src/config.ts';
import { profileVariables } from '../services/profile/src/config.ts';

const header = `# Every variable of Strongroom, printed by scripts/env-example.ts from the configuration of the processes.
# npm start needs none of them: it makes what development needs under .data/. A value may be sealed as ENC[provider:base64];
# see npm run secrets -- --help. A variable that several processes share stands once.

# For npm start and npm test alone: engines to use instead of private ones, and the ports of the processes.
# POSTGRES_URL=
# REDIS_URL=
# NATS_URL=
# GATEWAY_PORT=3000
# AUTH_PORT=3001
# PAYMENTS_PORT=3002
# ADMIN_PORT=3003
# PROFILE_PORT=3004
# WITNESS_PORT=3005
# PSP_SANDBOX_PORT=3010
# GATEWAY_METRICS_PORT=9464
# AUTH_METRICS_PORT=9465
# PAYMENTS_METRICS_PORT=9466
# PROFILE_METRICS_PORT=9467
# ADMIN_METRICS_PORT=9468
`;

const sections: readonly EnvSection[] = [
  { title: 'gateway, and what all processes share', schema: gatewayVariables },
  { title: 'auth, and what the services share', schema: authVariables },
  { title: 'payments', schema: paymentsVariables },
  { title: 'profile', schema: profileVariables },
  { title: 'admin', schema: adminVariables },
];

export function envExample(): string {
  return `${header}\n${printEnvExample(sections)}`;
}

if (import.meta.main) process.stdout.write(envExample());
