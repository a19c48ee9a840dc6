export {
  cacheProvider,
  type EncryptedValueAccess,
  isEncryptedValue,
  openEncryptedValue,
  sealEncryptedValue,
  type ValueProvider,
  type ValueProviders,
} from './encrypted-value.ts';
export { type EnvSection, printEnvExample } from './env-example.ts';
export {
  boolean,
  durationMs,
  durationS,
  file,
  integer,
  type Kind,
  keyBytes,
  list,
  oneOf,
  port,
  RuleFault,
  secret,
  text,
  url,
} from './kinds.ts';
export {
  ConfigError,
  type ConfigFault,
  type ConfigOf,
  type ConfigSchema,
  defineConfig,
  type LoadOptions,
  loadConfig,
} from './load.ts';
export {
  busVariables,
  databaseVariables,
  encryptionVariables,
  engineVariables,
  limitVariables,
  meshVariables,
  platformVariables,
  processVariables,
  redisVariables,
  staleReadVariables,
} from './platform-variables.ts';
export { createLocalProvider, createProviders } from './providers.ts';
export { Secret } from './secret.ts';
export { entropyBits, urlWeaknessOf, weaknessOf } from './weakness.ts';
