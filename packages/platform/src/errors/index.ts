export {
  catalogueEntries,
  catalogueEntry,
  defineErrors,
  type ErrorCatalogue,
  type ErrorFactory,
  entryOf,
} from './catalogue.ts';
export { commonErrors } from './common.ts';
export type {
  CatalogueEntry,
  ErrorDefinition,
  ErrorOptions,
  Level,
  Precondition,
  Retry,
  Violation,
} from './definition.ts';
export {
  isRefusal,
  isServiceError,
  levelOf,
  protocolErrorToConnectError,
  readServiceError,
  type ServiceError,
  toConnectError,
} from './read.ts';
