import type { DescMethod } from '@bufbuild/protobuf';
import { type Access, Audience, Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import { type Call, type Principal, requirePrincipal } from '../call.ts';
import { methodPolicy } from '../policy.ts';
import type { ServerCall } from '../server-call.ts';
import type { CallGuard, CallInterceptor } from './interceptor.ts';

const MILLISECONDS_PER_SECOND = 1_000;
/** Clocks of the services may differ by this much (F14). */
const CLOCK_SKEW_MS = 30_000;
/** Methods of RFC 8176 that say that a second factor was used. */
const SECOND_FACTORS: ReadonlySet<string> = new Set(['mfa', 'otp', 'hwk', 'swk', 'pop', 'sms']);

/** Audience, roles, callers and assurance, as the contract says. Ownership is the use case's. */
export const authorizationInterceptor: CallInterceptor = (_method, policy) => {
  const access = policy.access;
  if (access === undefined) throw new Error('a method without access rules can not be served');
  switch (access.audience) {
    case Audience.PUBLIC:
      return undefined;
    case Audience.SIGNED_IN:
      return (call) => checkPerson(access, requirePrincipal(call));
    case Audience.ROLES:
      return (call) => checkRoles(access, requirePrincipal(call));
    case Audience.INTERNAL:
      return callersGuard(access);
    default:
      throw new Error('a method without an audience can not be served');
  }
};

/** For a use case that settings open or close: whoever may call `method`, which is one of roles, may go on. */
export function requireAccess(method: DescMethod, call: Call): void {
  const { access } = methodPolicy(method);
  if (access?.audience !== Audience.ROLES) throw new Error(`${method.name} is not a method of roles`);
  checkRoles(access, requirePrincipal(call));
}

function checkRoles(access: Access, principal: Principal): void {
  if (!access.roles.includes(principal.role)) throw commonErrors.FORBIDDEN();
  checkPerson(access, principal);
}

function callersGuard(access: Access): CallGuard {
  const callers: ReadonlySet<string> = new Set(access.callers);
  return (call: ServerCall) => {
    if (call.caller === undefined || !callers.has(call.caller)) throw commonErrors.FORBIDDEN();
  };
}

function checkPerson(access: Access, principal: Principal): void {
  // A person's token never carries the role of a process.
  if (principal.role === Role.SERVICE || principal.role === Role.UNSPECIFIED) throw commonErrors.FORBIDDEN();
  if (principal.passwordChangeRequired && !access.allowPasswordChangeRequired) {
    throw commonErrors.PASSWORD_CHANGE_REQUIRED();
  }
  if (access.assurance !== undefined) requireAssurance(principal, access.assurance);
}

/**
 * RFC 9470: what is asked for is told, so that the client can ask the person for it. Use cases ask too, where it hangs on
 * what is asked of them.
 */
export function requireAssurance(
  principal: Principal,
  { mfa, maxAuthenticationAgeS }: Pick<NonNullable<Access['assurance']>, 'mfa' | 'maxAuthenticationAgeS'>,
): void {
  const usedSecondFactor = principal.authenticationMethods.some((method) => SECOND_FACTORS.has(method));
  if (mfa && principal.secondFactorEnrolled && !usedSecondFactor) {
    throw commonErrors.STEP_UP_REQUIRED({ metadata: { required: 'mfa' } });
  }
  if (maxAuthenticationAgeS === 0) return;
  const ageMs = Date.now() - principal.authenticationTime.getTime();
  if (ageMs > maxAuthenticationAgeS * MILLISECONDS_PER_SECOND + CLOCK_SKEW_MS || ageMs < -CLOCK_SKEW_MS) {
    const metadata = { required: 'recent-authentication', maxAuthenticationAgeS: String(maxAuthenticationAgeS) };
    throw commonErrors.STEP_UP_REQUIRED({ metadata });
  }
}
