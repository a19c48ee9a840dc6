import {
  type Authenticator,
  combineKeys,
  createAuthenticator,
  createRemoteKeys,
  createRevocation,
  createSharedKeys,
  type RevocationStore,
  type ServiceIdentity,
} from '@strongroom/platform/identity';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import type { GatewayConfig } from './config.ts';

export interface TokenReaderOptions {
  readonly config: GatewayConfig;
  readonly identity: ServiceIdentity | undefined;
  readonly redis: RevocationStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface TokenReader {
  readonly authenticator: Authenticator;
  /** Whether keys were ever received; asks for them while they were not. */
  hasKeys(): Promise<boolean>;
  /** Asks for the keys; while auth is down, goes on asking by itself. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Reads tokens for the limits and for DPoP. The deny-list in Redis counts here too, so that a revoked token can't eat its
 * owner's budget; when Redis can't say, nobody is asked: the service that is called asks auth and decides (S1.2c).
 */
export function createTokenReader(options: TokenReaderOptions): TokenReader {
  const { config, identity, logger, redis } = options;
  const keys = createRemoteKeys({ url: config.AUTH_URL, identity, logger });
  const revocation = createRevocation({ redis, ask: async () => false, logger });
  const authenticator = createAuthenticator({
    keys: combineKeys(createSharedKeys(config), keys),
    revocation,
    issuer: config.TOKEN_ISSUER,
    audience: config.TOKEN_AUDIENCE,
    logger,
  });
  const start = async (): Promise<void> => {
    await keys.refresh().catch((error: unknown) => logger.warn({ err: error }, 'auth gave no keys yet'));
  };
  return {
    authenticator,
    async hasKeys() {
      if (!keys.isLoaded()) await start();
      return keys.isLoaded();
    },
    start,
    close: () => keys.close(),
  };
}
