import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import type { Authenticator } from '../../identity/authenticator.ts';
import type { ServerCall } from '../server-call.ts';
import type { CallInterceptor } from './interceptor.ts';

const BEARER_PATTERN = /^Bearer ([A-Za-z0-9._-]+)$/i; // RFC 6750 section 2.1, RFC 9110 section 11.1 for the case
const AUTHORIZATION_MAX_CHARACTERS = 4_096;

/**
 * Verifies the person's token again in every service (B-zero). A public method needs none and looks at none: an expired
 * token must not keep anyone from Refresh. An internal method takes one along but does not need it.
 */
export function createAuthenticationInterceptor(authenticator: Authenticator | undefined): CallInterceptor {
  return (_method, policy) => {
    const audience = policy.access?.audience;
    if (audience === Audience.PUBLIC) return undefined;
    const isRequired = audience !== Audience.INTERNAL;
    return (call) => {
      const token = bearerTokenOf(call);
      if (token === undefined) {
        if (isRequired) throw commonErrors.UNAUTHENTICATED();
        return undefined;
      }
      if (authenticator === undefined) throw commonErrors.UNAVAILABLE({ message: 'Tokens can not be verified here.' });
      return authenticate(authenticator, token, call);
    };
  };
}

async function authenticate(authenticator: Authenticator, token: string, call: ServerCall): Promise<void> {
  const principal = await authenticator.authenticate(token);
  // RFC 9449: the proof that belongs to a bound token names the edge's address, so only the gateway can check it.
  if (principal.keyThumbprint !== undefined && call.caller === undefined) throw commonErrors.TOKEN_INVALID();
  call.principal = principal;
  call.accessToken = token;
}

function bearerTokenOf(call: ServerCall): string | undefined {
  const header = call.headers.authorization;
  if (header === undefined) return undefined;
  if (header.length > AUTHORIZATION_MAX_CHARACTERS) throw commonErrors.TOKEN_INVALID();
  const match = BEARER_PATTERN.exec(header);
  if (match?.[1] === undefined) throw commonErrors.TOKEN_INVALID();
  return match[1];
}
