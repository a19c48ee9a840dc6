import { createFieldCipher, keyringFromConfig } from '@strongroom/platform/crypto';
import type { Flags } from '@strongroom/platform/flags';
import {
  type Authenticator,
  createAuthenticator,
  createRevocation,
  readSharedSecrets,
} from '@strongroom/platform/identity';
import { noticeKeyFromConfig } from '@strongroom/platform/outbox';
import { createRpcServer } from '@strongroom/platform/rpc';
import { createAuditSensitiveRead, createRefusalAudit, type ServiceResources } from '@strongroom/platform/service';
import type { FastifyInstance } from 'fastify';
import { beginCounts } from './begin-counts.ts';
import type { AuthConfig } from './config.ts';
import type { Deps } from './deps.ts';
import { createAttemptGuard } from './lockout/attempt-guard.ts';
import { createSprayDetector } from './lockout/spray-detector.ts';
import { createPasswordHasher } from './password/password-hasher.ts';
import { authRoutes } from './routes.ts';
import { registerJwks } from './secret/jwks.ts';
import { createSigningKeys } from './secret/signing-keys.ts';
import { createDenylist } from './session/denylist.ts';
import { isRevoked } from './session/revocation-store.ts';

export type AppResources = Pick<
  ServiceResources,
  'database' | 'redis' | 'bus' | 'logger' | 'metrics' | 'health' | 'identity' | 'rateLimiter'
> & { readonly config: AuthConfig; readonly flags?: Flags; readonly now?: () => number };

export interface App {
  readonly server: FastifyInstance;
  readonly deps: Deps;
  /** Keys, deny keys: to be awaited before the first call. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The auth service on the resources given, not yet listening. */
export async function buildApp(resources: AppResources): Promise<App> {
  const deps = await createDeps(resources);
  const { database, logger, metrics, config } = deps;
  const server = await createRpcServer({
    name: 'auth',
    routes: authRoutes(deps),
    logger,
    metrics,
    config,
    flags: resources.flags,
    health: resources.health,
    identity: resources.identity,
    rateLimiter: resources.rateLimiter,
    authenticator: ownAuthenticator(deps),
    refusalAudit: createRefusalAudit({ database, logger }),
    auditSensitiveRead: createAuditSensitiveRead(database),
  });
  registerJwks(server, deps.signingKeys);
  return {
    server,
    deps,
    async start() {
      await deps.signingKeys.start();
      await deps.denylist.start();
    },
    async close() {
      await server.close();
      await deps.denylist.stop();
      await deps.signingKeys.stop();
      await deps.hasher.close();
    },
  };
}

async function createDeps(resources: AppResources): Promise<Deps> {
  const { config, database, redis, bus, logger, metrics, now = Date.now } = resources;
  beginCounts(metrics);
  const keyring = keyringFromConfig(config);
  const signingKeys = await createSigningKeys({
    database,
    bus,
    keyring,
    logger,
    metrics,
    sharedSecrets: readSharedSecrets(config),
    signWithSharedSecret: config.SIGN_IN_WITH_SHARED_SECRET,
    lifeDays: config.SIGNING_KEY_LIFE_DAYS,
    keptMax: config.SIGNING_KEYS_KEPT_MAX,
  });
  const hasher = await createPasswordHasher({
    keyring,
    metrics,
    cost: config.BCRYPT_COST,
    workersMax: config.PASSWORD_WORKERS_MAX,
    queueMax: config.PASSWORD_QUEUE_MAX,
  });
  return {
    config,
    database,
    redis,
    bus,
    logger,
    metrics,
    keyring,
    cipher: createFieldCipher(keyring),
    noticeKey: noticeKeyFromConfig(config),
    hasher,
    signingKeys,
    denylist: createDenylist({ database, redis, logger, leaseMs: config.DENY_MARKER_LEASE_MS }),
    guard: createAttemptGuard({ database, redis, logger }),
    spray: createSprayDetector({ redis, logger, metrics, accountsMax: config.LOGIN_SPRAY_ACCOUNTS, now }),
    now,
  };
}

/** Auth verifies with its own keys, and where Redis can't say it asks its own database. */
function ownAuthenticator({ config, database, redis, signingKeys, logger, metrics }: Deps): Authenticator {
  const revocation = createRevocation({
    redis,
    logger,
    metrics,
    ask: ({ userId, sessionId, tokenId, issueTime }) =>
      isRevoked(database, {
        userId,
        sessionId,
        tokenId,
        issueTimeS: BigInt(Math.floor(issueTime.getTime() / 1000)),
      }),
  });
  const { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: audience } = config;
  return createAuthenticator({ keys: signingKeys.source, revocation, issuer, audience, logger, metrics });
}
