import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import {
  type Authenticator,
  combineKeys,
  createAuthenticator,
  createRemoteKeys,
  createRevocation,
  createSharedKeys,
} from '../identity/index.ts';
import type { Lifecycle } from '../process/index.ts';
import { createServiceClient, type ServiceClient } from '../rpc/index.ts';
import type { ServiceResources } from './open-service.ts';

const revocationTimeoutMs = 2_000;

/** Core-NATS signal that auth sends when signing keys have changed. */
export const keysChangedSignal = 'signing-keys';

export interface RemoteAuthenticator {
  readonly auth: ServiceClient<typeof AuthService>;
  readonly authenticator: Authenticator;
}

export type AuthenticatorResources = Pick<ServiceResources, 'identity' | 'logger' | 'metrics' | 'redis' | 'bus'> & {
  readonly config: Pick<
    ServiceResources['config'],
    'AUTH_URL' | 'TOKEN_ISSUER' | 'TOKEN_AUDIENCE' | 'JWT_SECRET' | 'JWT_SECRETS'
  >;
};

/** How every process but auth verifies tokens: with auth's public keys and shared secrets, and the deny-list or auth itself. */
export async function openRemoteAuthenticator(
  { config, identity, logger, metrics, redis, bus }: AuthenticatorResources,
  lifecycle: Pick<Lifecycle, 'onClose'>,
): Promise<RemoteAuthenticator> {
  const auth = createServiceClient(AuthService, { name: 'auth', url: config.AUTH_URL, identity, logger, metrics });
  lifecycle.onClose(() => auth.close());
  const sharedKeys = createSharedKeys(config);
  const keys = createRemoteKeys({ url: config.AUTH_URL, identity, logger });
  lifecycle.onClose(() => keys.close());
  const refresh = () =>
    keys.refresh().catch((error: unknown) => logger.warn({ err: error }, 'the signing keys could not be read yet'));
  lifecycle.onClose(bus.onSignal(keysChangedSignal, () => void refresh()));
  await refresh();
  const revocation = createRevocation({
    redis,
    logger,
    metrics,
    ask: async ({ userId, sessionId, tokenId, issueTime }) => {
      const issueTimeS = BigInt(Math.floor(issueTime.getTime() / 1000));
      const options = { timeoutMs: revocationTimeoutMs };
      return (await auth.checkRevocation({ userId, sessionId, tokenId, issueTimeS }, options)).revoked;
    },
  });
  const { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: audience } = config;
  return {
    auth,
    authenticator: createAuthenticator({
      keys: combineKeys(sharedKeys, keys),
      revocation,
      issuer,
      audience,
      logger,
      metrics,
    }),
  };
}
