import { ConnectError } from '@connectrpc/connect';
import type { CatalogueEntry, ErrorDefinition, ErrorOptions } from './definition.ts';
import { errorDetails } from './details.ts';

/** Makes one error of the catalogue; `definition` is what stands there about it. */
export interface ErrorFactory {
  (options?: ErrorOptions): ConnectError;
  readonly reason: string;
  readonly definition: CatalogueEntry;
}

export type ErrorCatalogue<Reasons extends string> = { readonly [Reason in Reasons]: ErrorFactory };

const REASON_PATTERN = /^[A-Z][A-Z0-9_]{1,61}[A-Z0-9]$/; // google.rpc.ErrorInfo.reason

const registry = new Map<string, CatalogueEntry>();

/** Every error defined in this process so far, for the document of reasons and its test. */
export function catalogueEntries(): readonly CatalogueEntry[] {
  return [...registry.values()];
}

/** The entry of a reason, by domain. */
export function catalogueEntry(domain: string, reason: string): CatalogueEntry | undefined {
  return registry.get(`${domain}/${reason}`);
}

/** The closed list of errors of one domain. */
export function defineErrors<const Definitions extends Record<string, ErrorDefinition>>(
  domain: string,
  definitions: Definitions,
): ErrorCatalogue<keyof Definitions & string> {
  const factories: Record<string, ErrorFactory> = {};
  for (const [reason, definition] of Object.entries(definitions)) {
    if (!REASON_PATTERN.test(reason)) throw new Error(`error reason ${reason} is not UPPER_SNAKE_CASE`);
    factories[reason] = createFactory({ ...definition, reason, domain });
  }
  return factories as ErrorCatalogue<keyof Definitions & string>;
}

const thrownEntries = new WeakMap<ConnectError, CatalogueEntry>();

/** The catalogue's entry of an error made in this process. */
export function entryOf(error: ConnectError): CatalogueEntry | undefined {
  return thrownEntries.get(error);
}

function createFactory(entry: CatalogueEntry): ErrorFactory {
  registry.set(`${entry.domain}/${entry.reason}`, entry);
  const make = (options: ErrorOptions = {}): ConnectError => {
    const error = new ConnectError(
      options.message ?? entry.message,
      entry.code,
      undefined,
      errorDetails(entry, options),
      options.cause,
    );
    thrownEntries.set(error, entry);
    return error;
  };
  return Object.assign(make, { reason: entry.reason, definition: entry });
}
