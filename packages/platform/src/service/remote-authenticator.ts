import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type Authenticator, createTokenVerification, type RevocableToken } from '../identity/index.ts';
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

/** Verifies tokens as every service but auth does: what Redis can't say of a revocation is asked of auth. */
export async function openRemoteAuthenticator(
  { config, identity, logger, metrics, redis, bus }: AuthenticatorResources,
  lifecycle: Pick<Lifecycle, 'onClose'>,
): Promise<RemoteAuthenticator> {
  const auth = createServiceClient(AuthService, { name: 'auth', url: config.AUTH_URL, identity, logger, metrics });
  lifecycle.onClose(() => auth.close());
  const ask = async ({ userId, sessionId, tokenId, issueTime }: RevocableToken): Promise<boolean> => {
    const issueTimeS = BigInt(Math.floor(issueTime.getTime() / 1000));
    const options = { timeoutMs: revocationTimeoutMs };
    return (await auth.checkRevocation({ userId, sessionId, tokenId, issueTimeS }, options)).revoked;
  };
  const verification = createTokenVerification({ config, identity, redis, ask, logger, metrics });
  lifecycle.onClose(() => verification.close());
  lifecycle.onClose(bus.onSignal(keysChangedSignal, () => void verification.refreshKeys()));
  await verification.refreshKeys();
  return { auth, authenticator: verification.authenticator };
}
