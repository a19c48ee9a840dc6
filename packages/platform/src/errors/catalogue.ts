import { type Code, ConnectError } from '@connectrpc/connect';
import { errorDetails, type Precondition, type Violation } from './details.ts';

/** What the caller may do: nothing, the same at once, the same after the delay, or again under a new idempotency key. */
export type Retry = 'never' | 'now' | 'after' | 'new-key';

/** The level at which an answer with this error is logged. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

export interface ErrorDefinition {
  readonly code: Code;
  /** The status of the REST answer. */
  readonly status: number;
  /** What is told to the caller: no personal data, no internals. */
  readonly message: string;
  readonly retry: Retry;
  readonly level: Level;
  /** Goes on record as AUTHORIZATION_DENIED, as all of PERMISSION_DENIED does (S7.3): no use case records it by itself. */
  readonly isRefusal?: true;
}

export interface CatalogueEntry extends ErrorDefinition {
  readonly reason: string;
  readonly domain: string;
}

export interface ErrorOptions {
  /** Facts for the caller's program, beside status and retry. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly Violation[];
  readonly preconditions?: readonly Precondition[];
  readonly retryAfterMs?: number;
  /** Logged, never sent. */
  readonly cause?: unknown;
  /** Further details of the caller's own choice. */
  readonly details?: ConstructorParameters<typeof ConnectError>[3];
  /** In place of the catalogue's message. */
  readonly message?: string;
}

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
