import type { Client } from '@connectrpc/connect';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { FieldCipher, Keyring } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { PaymentsConfig } from './config.ts';
import type { Psp } from './psp/psp.ts';
import type { Signals } from './work/signals.ts';

/** What use cases and workers are given, made once in main.ts. */
export interface Deps {
  readonly config: PaymentsConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly keyring: Keyring;
  readonly cipher: FieldCipher;
  readonly auth: Client<typeof AuthService>;
  readonly psp: Psp;
  readonly signals: Signals;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
