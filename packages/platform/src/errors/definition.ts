import type { Code, ConnectError } from '@connectrpc/connect';

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

/** One rule that one field breaks. The message never holds the value. */
export interface Violation {
  /** Path of the field, in the proto's names: `amount.currency_code`, `cards[2].number`. */
  readonly field: string;
  /** Id of the rule: `string.max_len`. */
  readonly rule: string;
  readonly message: string;
}

/** One condition of the state that does not hold (google.rpc.PreconditionFailure). */
export interface Precondition {
  readonly type: string;
  readonly subject: string;
  readonly description: string;
}
