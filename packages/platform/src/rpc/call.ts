import type { DescMethod } from '@bufbuild/protobuf';
import { type ContextValues, createContextKey } from '@connectrpc/connect';
import type { MethodPolicy, Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../errors/index.ts';

/** The person whose access token came with the call, verified by this process. */
export interface Principal {
  readonly userId: string;
  readonly sessionId: string;
  readonly tokenId: string;
  readonly role: Role;
  /** Claim amr (RFC 8176): `pwd`, `otp`, `mfa`, … */
  readonly authenticationMethods: readonly string[];
  /** Claim auth_time: the last full authentication. */
  readonly authenticationTime: Date;
  /** Claim iat. */
  readonly issueTime: Date;
  /** Claim exp. */
  readonly expireTime: Date;
  /** Claim pcr: the token's only use is to change the password. */
  readonly passwordChangeRequired: boolean;
  /** Claim mfe: a second factor is enrolled, whether this session used it or not. */
  readonly secondFactorEnrolled: boolean;
  /** Claim cnf.jkt: the token is bound to this key (RFC 9449). */
  readonly keyThumbprint?: string;
}

/** Counts on the monotonic clock, so that a jump of the wall clock moves no deadline (F14). */
export interface Deadline {
  /** Milliseconds left; 0 when it is over. */
  remainingMs(): number;
}

/** What is known about one request, all of it verified. */
export interface Call {
  readonly requestId: string;
  readonly traceId: string;
  readonly ipAddress: string;
  readonly userAgent: string;
  readonly deviceId: string;
  readonly principal?: Principal | undefined;
  /** The service at the other end of the mTLS connection. */
  readonly caller?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly deadline: Deadline;
  /** Aborted when the deadline is over or the caller has gone. Made on first use. */
  readonly signal: AbortSignal;
  readonly method: DescMethod;
  readonly policy: MethodPolicy;
  readonly requestHeader: Headers;
  readonly responseHeader: Headers;
  readonly responseTrailer: Headers;
  /** The person's own access token, to be forwarded and never logged. */
  readonly accessToken?: string | undefined;
  /** Thumbprint of the key that the edge has seen proven for this call (RFC 9449). */
  readonly provenKey?: string | undefined;
}

export const callKey = createContextKey<Call | undefined>(undefined, { description: 'strongroom.call' });

/** The call behind a handler's context. */
export function callOf(context: { readonly values: ContextValues }): Call {
  const call = context.values.get(callKey);
  if (call === undefined) throw new Error('the handler was called outside of createRpcServer');
  return call;
}

/** The person who calls. A method whose audience is public or internal may have none. */
export function requirePrincipal(call: Call): Principal {
  if (call.principal === undefined) throw commonErrors.UNAUTHENTICATED();
  return call.principal;
}

export function createDeadline(durationMs: number): Deadline {
  const endMs = performance.now() + durationMs;
  return { remainingMs: () => Math.max(0, endMs - performance.now()) };
}
