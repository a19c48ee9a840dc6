import type { Bus } from '@strongroom/platform/bus';
import type { FieldCipher, Keyring } from '@strongroom/platform/crypto';
import type { Database } from '@strongroom/platform/database';
import type { NoticeKey } from '@strongroom/platform/outbox';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { Redis } from 'ioredis';
import type { AuthConfig } from './config.ts';
import type { AttemptGuard } from './lockout/attempt-guard.ts';
import type { SprayDetector } from './lockout/spray-detector.ts';
import type { PasswordHasher } from './password/password-hasher.ts';
import type { SigningKeys } from './secret/signing-keys.ts';
import type { Denylist } from './session/denylist.ts';

/** What the use cases of auth work with; made once in main.ts (or by a test). */
export interface Deps {
  readonly config: AuthConfig;
  readonly database: Database;
  readonly redis: Redis;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly keyring: Keyring;
  readonly cipher: FieldCipher;
  readonly noticeKey: NoticeKey;
  readonly hasher: PasswordHasher;
  readonly signingKeys: SigningKeys;
  readonly denylist: Denylist;
  readonly guard: AttemptGuard;
  readonly spray: SprayDetector;
  /** Server time for one-time codes (ASVS V6.5.8) and proofs; a test may set it. */
  readonly now: () => number;
}
