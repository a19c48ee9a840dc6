import type { Client } from '@connectrpc/connect';
import type { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { FieldCipher, Keyring } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import type { Authenticator } from '@strongroom/platform/identity';
import type { StaleReads } from '@strongroom/platform/resilience';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { PaymentsConfig } from './config.ts';
import type { KeysInFlight } from './idempotency/keys-in-flight.ts';
import type { NewPaymentOutcome, NewPaymentWrite } from './payment/new-payment-store.ts';
import type { Payment } from './payment/payment.ts';
import type { StreamCounts } from './payment/stream-counts.ts';
import type { ChargeProgress } from './psp/progress-store.ts';
import type { Psp } from './psp/psp.ts';
import type { Settlement } from './psp/settlement.ts';
import type { WebhookTargets } from './webhook-endpoint/webhook-target.ts';
import type { BatchWriter } from './work/batch-writer.ts';
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
  readonly admin: Client<typeof AdminService>;
  readonly psp: Psp;
  readonly writeNewPayment: BatchWriter<NewPaymentWrite, NewPaymentOutcome>;
  /** Undefined: not written; its payment must be looked at under its lock. */
  readonly writeProgress: BatchWriter<ChargeProgress, Payment | undefined>;
  /** False: not written; its payment must be looked at under its lock. */
  readonly writeSettlement: BatchWriter<Settlement, boolean>;
  readonly signals: Signals;
  readonly authenticator: Authenticator;
  readonly webhookTargets: WebhookTargets;
  readonly streams: StreamCounts;
  readonly feedHorizon: () => Promise<string>;
  readonly keysInFlight: KeysInFlight;
  readonly staleReads: StaleReads;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
