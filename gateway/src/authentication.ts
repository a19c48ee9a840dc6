import {
  createTokenVerification,
  type TokenVerification,
  type TokenVerificationOptions,
} from '@strongroom/platform/identity';

/**
 * Reads tokens for the limits and for DPoP. The deny-list in Redis counts here too, so that a revoked token can't eat its
 * owner's budget; when Redis can't say, nobody is asked: the service that is called asks auth and decides (S1.2c).
 */
export function createTokenReader(options: Omit<TokenVerificationOptions, 'ask' | 'metrics'>): TokenVerification {
  return createTokenVerification({ ...options, ask: async () => false });
}
