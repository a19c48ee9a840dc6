import type { Client } from '@connectrpc/connect';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import type { Bus } from '@strongroom/platform/bus';
import type { Keyring } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import type { NoticeKey } from '@strongroom/platform/outbox';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { FindPlace } from './anomaly/places.ts';
import type { LogTail } from './audit/log-tail.ts';
import type { Watchers } from './audit/watchers.ts';
import type { PersonKeystore } from './erasure/person-keystore.ts';
import type { FlagBoard } from './flag/flag-board.ts';
import type { AuditLag } from './health/audit-lag.ts';
import type { HealthProbe } from './health/service-health.ts';
import type { Checkpointer } from './transparency/checkpointer.ts';

/** What the use cases need; made once, in main.ts or by a test. */
export interface Deps {
  readonly database: Database;
  readonly auditDatabase: Database;
  readonly auth: Client<typeof AuthService>;
  readonly bus: Bus;
  readonly keyring: Keyring;
  readonly noticeKey: NoticeKey;
  readonly keystore: PersonKeystore;
  readonly checkpointer: Checkpointer;
  /** Whether checkpoints and tiles are given to anyone (TLOG_PUBLIC). */
  readonly isLogPublic: boolean;
  readonly logTail: LogTail;
  readonly watchers: Watchers;
  readonly findPlace: FindPlace;
  readonly flags: FlagBoard;
  readonly probes: readonly HealthProbe[];
  readonly auditLag: () => Promise<AuditLag>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
