export {
  type CatalogueEntry,
  catalogueEntries,
  catalogueEntry,
  defineErrors,
  type ErrorCatalogue,
  type ErrorDefinition,
  type ErrorFactory,
  type ErrorOptions,
  entryOf,
  type Level,
  type Retry,
} from './catalogue.ts';
export { commonErrors } from './common.ts';
export type { Precondition, Violation } from './details.ts';
export {
  isRefusal,
  isServiceError,
  levelOf,
  protocolErrorToConnectError,
  readServiceError,
  type ServiceError,
  toConnectError,
} from './read.ts';
