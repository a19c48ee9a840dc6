import type { DescMethod, Message } from '@bufbuild/protobuf';
import { Code, type ConnectError } from '@connectrpc/connect';
import type { MethodPolicy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors, isRefusal, readServiceError, toConnectError } from '../errors/index.ts';
import type { Flags } from '../flags/index.ts';
import { type Authenticator, userOfRefusedToken } from '../identity/index.ts';
import type { RateLimiter, RateRule } from '../limits/index.ts';
import type { ConcurrencyLimit, Permit } from '../resilience/index.ts';
import { type Logger, type Metrics, runInRequest } from '../telemetry/index.ts';
import type { Call } from './call.ts';
import { createAuthenticationInterceptor } from './interceptors/authentication.ts';
import { authorizationInterceptor } from './interceptors/authorization.ts';
import { cardNumberInterceptor } from './interceptors/card-number.ts';
import { createFlagInterceptor } from './interceptors/flag.ts';
import { idempotencyKeyInterceptor } from './interceptors/idempotency-key.ts';
import type { CallGuard, RequestGuard, RequestInterceptor } from './interceptors/interceptor.ts';
import { createLimitsInterceptor } from './interceptors/limits.ts';
import { protocolGuard } from './interceptors/protocol-version.ts';
import { createSanitationInterceptor } from './interceptors/sanitation.ts';
import { storableTextInterceptor } from './interceptors/storable-text.ts';
import { recordOutcome } from './outcome.ts';
import { methodPolicy } from './policy.ts';
import { type CallOrigin, ServerCall } from './server-call.ts';

export interface Refusal {
  readonly reason: string;
  /** Whose token was refused, where it was a genuine one (expired, revoked). */
  readonly subjectId?: string | undefined;
}

/** Records refusals: no or no valid token, want of rights, a card number where none belongs. */
export interface RefusalAudit {
  record(call: Call, refusal: Refusal): Promise<void> | void;
  /** Ends with the server: what isn't written yet is. */
  close(): Promise<void>;
}

/** Records that a method marked sensitive_read has answered. If it can't, the call fails. */
export type AuditSensitiveRead = (call: Call, request: Message, response: unknown) => Promise<void> | void;

export interface PipelineOptions {
  readonly name: string;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  readonly authenticator?: Authenticator | undefined;
  readonly flags?: Flags | undefined;
  readonly limiter: RateLimiter;
  readonly limitRule: RateRule;
  readonly concurrency: ConcurrencyLimit;
  readonly validation: RequestInterceptor;
  readonly refusalAudit?: RefusalAudit | undefined;
  readonly auditSensitiveRead?: AuditSensitiveRead | undefined;
}

/** A call in progress: opened before anything is read, closed once the answer is known. */
export interface OpenCall {
  readonly call: ServerCall;
  readonly permit: Permit | undefined;
  readonly deadlineTimer: NodeJS.Timeout;
}

/**
 * What happens to each call of one method, whichever protocol it came by. The order is that of HACKING.md: context →
 * errors → deadline → limits → authentication → authorisation → flag → idempotency key → sanitation → validation → use case. All
 * up to authorisation needs only headers and runs before the body is read.
 */
export class MethodPipeline {
  readonly method: DescMethod;
  readonly policy: MethodPolicy;
  readonly #options: PipelineOptions;
  readonly #callGuards: readonly CallGuard[];
  readonly #requestGuards: readonly RequestGuard[];

  constructor(method: DescMethod, options: PipelineOptions) {
    this.method = method;
    this.policy = methodPolicy(method);
    this.#options = options;
    const callInterceptors = [
      createLimitsInterceptor(options.limiter, options.name, options.limitRule),
      createAuthenticationInterceptor(options.authenticator),
      authorizationInterceptor,
      createFlagInterceptor(options.flags),
    ];
    const requestInterceptors = [
      idempotencyKeyInterceptor,
      createSanitationInterceptor(options.name, options.metrics),
      storableTextInterceptor,
      cardNumberInterceptor,
      options.validation,
    ];
    this.#callGuards = [
      protocolGuard,
      ...callInterceptors.flatMap((interceptor) => interceptor(method, this.policy) ?? []),
    ];
    this.#requestGuards = requestInterceptors.flatMap((interceptor) => interceptor(method, this.policy) ?? []);
  }

  get isStream(): boolean {
    return this.method.methodKind !== 'unary';
  }

  /** Context and deadline. The time starts when the headers are here: a slow body counts too. */
  open(origin: CallOrigin): OpenCall {
    const call = new ServerCall(this.method, this.policy, origin);
    const deadlineTimer = setTimeout(
      () => call.abort(commonErrors.DEADLINE_EXCEEDED()),
      Math.ceil(call.deadline.remainingMs()),
    );
    const permit = this.#options.concurrency.tryEnter(this.policy.criticality, this.method.name);
    // A stream is let in as a call is, and then only waits, for an hour: some dozens would shed everything else.
    if (this.isStream) permit?.release('ignore');
    return { call, permit, deadlineTimer };
  }

  /** Everything that needs no body. */
  admit({ call, permit }: OpenCall): Promise<void> {
    return runInRequest(call, async () => {
      // Told to come back after a second: under overload the first thing needed is less of everything.
      if (permit === undefined) throw commonErrors.OVERLOADED({ retryAfterMs: OVERLOAD_RETRY_AFTER_MS });
      for (const guard of this.#callGuards) {
        const pending = guard(call);
        if (pending !== undefined) await pending;
      }
    });
  }

  /** Everything that needs the request; changes it in place. */
  async check(request: Message, call: ServerCall): Promise<void> {
    call.decoded = true;
    for (const guard of this.#requestGuards) {
      const pending = guard(request, call);
      if (pending !== undefined) await pending;
    }
  }

  /** Request guards, then the use case, then the record of a sensitive read. */
  run<Response>(request: Message, call: ServerCall, invoke: () => Promise<Response>): Promise<Response> {
    return runInRequest(call, async () => {
      await this.check(request, call);
      const response = await invoke();
      if (this.policy.audit?.sensitiveRead === true) {
        await this.#options.auditSensitiveRead?.(call, request, response);
      }
      return response;
    });
  }

  /** The error as it is answered; refusals are recorded before the answer goes out. */
  async refuse(call: ServerCall, cause: unknown): Promise<ConnectError> {
    const error = toConnectError(cause);
    if (isRefusal(error)) {
      try {
        await this.#options.refusalAudit?.record(call, {
          reason: reasonOf(error),
          subjectId: userOfRefusedToken(cause),
        });
      } catch (auditError) {
        this.#options.logger.error({ err: auditError, method: this.method.name }, 'a refusal could not be recorded');
      }
    }
    return error;
  }

  /** Log line, metrics, and the place for the next call. */
  close({ call, permit, deadlineTimer }: OpenCall, outcome: ConnectError | 'ok'): void {
    if (call.outcome !== undefined) return;
    call.outcome = outcome;
    clearTimeout(deadlineTimer);
    permit?.release(loadOutcomeOf(outcome));
    recordOutcome(this.#options, call, outcome);
  }
}

const OVERLOAD_RETRY_AFTER_MS = 1_000;

function reasonOf(error: ConnectError): string {
  return readServiceError(error)?.reason ?? commonErrors.FORBIDDEN.reason;
}

function loadOutcomeOf(outcome: ConnectError | 'ok'): 'ok' | 'overload' | 'ignore' {
  if (outcome === 'ok') return 'ok';
  if (outcome.code === Code.DeadlineExceeded) return 'overload';
  return 'ignore'; // a refusal is quick whatever the load
}
