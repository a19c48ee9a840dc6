export { createAuditSensitiveRead, createRefusalAudit } from './audit-hooks.ts';
export { openFlags } from './open-flags.ts';
export {
  type OpenServiceOptions,
  openRedis,
  openService,
  type ServiceConfig,
  type ServiceResources,
} from './open-service.ts';
export { keysChangedSignal, openRemoteAuthenticator, type RemoteAuthenticator } from './remote-authenticator.ts';
export { type LoadedConfig, loadServiceConfig, recordSecretAccesses } from './secret-access.ts';
export { type OutboxPeers, startOutbox } from './start-outbox.ts';
