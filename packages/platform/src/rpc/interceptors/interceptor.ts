import type { DescMethod, Message } from '@bufbuild/protobuf';
import type { MethodPolicy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type { ServerCall } from '../server-call.ts';

/** Lets a call pass or throws. Runs before the body is read, so that nothing of a refused caller is ever decoded. */
export type CallGuard = (call: ServerCall) => void | Promise<void>;

/** Lets a request pass or throws; may change the request in place. */
export type RequestGuard = (request: Message, call: ServerCall) => void | Promise<void>;

/**
 * One interceptor, compiled once for each method at start. undefined means that the method's policy asks nothing of it,
 * so that a call pays only for what its policy says.
 */
export type CallInterceptor = (method: DescMethod, policy: MethodPolicy) => CallGuard | undefined;
export type RequestInterceptor = (method: DescMethod, policy: MethodPolicy) => RequestGuard | undefined;
