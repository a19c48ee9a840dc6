export { SpentToken, userOfRefusedToken } from './access-token.ts';
export {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
} from './authenticator.ts';
export { writeDevelopmentCertificates } from './development-certificates.ts';
export { claimedKeyThumbprint, type DpopProof, dpopLifeS, type ProofExpectation, verifyDpopProof } from './dpop.ts';
export {
  combineKeys,
  createStaticKeys,
  type KeySource,
  keysFromJwks,
  type TokenAlgorithm,
  type VerificationKey,
} from './keys.ts';
export { createRemoteKeys, type RemoteKeys, type RemoteKeysOptions } from './remote-keys.ts';
export {
  createRevocation,
  denyKeys,
  type RevocableToken,
  type Revocation,
  type RevocationOptions,
  type RevocationStore,
} from './revocation.ts';
export {
  createServiceDispatcher,
  type ServiceDispatcher,
  type ServiceDispatcherOptions,
} from './service-dispatcher.ts';
export {
  type IdentityConfig,
  type IdentityMaterial,
  type IdentityOptions,
  loadServiceIdentity,
  type ServiceIdentity,
} from './service-identity.ts';
export { createSharedKeys, readSharedSecrets, type SharedSecret, type SharedSecretsConfig } from './shared-secrets.ts';
export { serviceNameOf, serviceUri } from './spiffe.ts';
export { checkPeerIdentity, engineTlsOptions, secureContextOptions, tlsPolicy } from './tls-policy.ts';
export {
  createTokenVerification,
  type TokenVerification,
  type TokenVerificationOptions,
} from './token-verification.ts';
