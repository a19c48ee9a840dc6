import type { Client } from '@connectrpc/connect';
import type { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import type { FieldCipher } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import type { StaleReads } from '@strongroom/platform/resilience';
import type { Logger } from '@strongroom/platform/telemetry';

/** What the use cases need; made once, in main.ts or by a test. */
export interface Deps {
  readonly database: Database;
  readonly cipher: FieldCipher;
  readonly auth: Client<typeof AuthService>;
  readonly payments: Client<typeof PaymentsService>;
  readonly admin: Client<typeof AdminService>;
  readonly staleReads: StaleReads;
  readonly logger: Logger;
}
