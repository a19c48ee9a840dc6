import type { Logger, Metrics } from '../telemetry/index.ts';
import { type Authenticator, createAuthenticator } from './authenticator.ts';
import { combineKeys } from './keys.ts';
import { createRemoteKeys } from './remote-keys.ts';
import { createRevocation, type RevocableToken, type RevocationStore } from './revocation.ts';
import type { ServiceIdentity } from './service-identity.ts';
import { createSharedKeys, type SharedSecretsConfig } from './shared-secrets.ts';

export interface TokenVerificationOptions {
  readonly config: SharedSecretsConfig & {
    readonly AUTH_URL: string;
    readonly TOKEN_ISSUER: string;
    readonly TOKEN_AUDIENCE: string;
  };
  readonly identity: ServiceIdentity | undefined;
  readonly redis: RevocationStore;
  /** Whether a token is revoked, where Redis can't say. */
  readonly ask: (token: RevocableToken) => Promise<boolean>;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
}

export interface TokenVerification {
  readonly authenticator: Authenticator;
  /** Whether keys were ever received. */
  hasKeys(): boolean;
  /** Asks auth for its keys; where it doesn't answer, that is logged and asked again later. */
  refreshKeys(): Promise<void>;
  close(): Promise<void>;
}

/** How a process that is not auth verifies tokens: with auth's public keys and shared secrets, against the deny-list. */
export function createTokenVerification(options: TokenVerificationOptions): TokenVerification {
  const { config, identity, redis, ask, logger, metrics } = options;
  const keys = createRemoteKeys({ url: config.AUTH_URL, identity, logger });
  return {
    authenticator: createAuthenticator({
      keys: combineKeys(createSharedKeys(config), keys),
      revocation: createRevocation({ redis, ask, logger, metrics }),
      issuer: config.TOKEN_ISSUER,
      audience: config.TOKEN_AUDIENCE,
      logger,
      metrics,
    }),
    hasKeys: () => keys.isLoaded(),
    refreshKeys: () => keys.refresh(),
    close: () => keys.close(),
  };
}
