import { Audience } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import { SpentToken } from '../../identity/access-token.ts';
import type { Authenticator } from '../../identity/authenticator.ts';
import type { ServerCall } from '../server-call.ts';
import type { CallInterceptor } from './interceptor.ts';

/** RFC 6750 section 2.1, RFC 9449 section 7.1, RFC 9110 section 11.1 for the case. */
const CREDENTIALS_PATTERN = /^(Bearer|DPoP) ([A-Za-z0-9._-]+)$/i;
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
      const credentials = credentialsOf(call);
      if (credentials === undefined) {
        if (isRequired) throw commonErrors.UNAUTHENTICATED();
        return undefined;
      }
      if (authenticator === undefined) throw commonErrors.UNAVAILABLE({ message: 'Tokens can not be verified here.' });
      return authenticate(authenticator, credentials, call);
    };
  };
}

async function authenticate(
  authenticator: Authenticator,
  { scheme, token }: Credentials,
  call: ServerCall,
): Promise<void> {
  const principal = await authenticator.authenticate(token);
  // B-dpop: the proof names the edge's address, so only the gateway can check it. It says which key was proven; here a
  // bound token without its own is refused, on record, and so is the scheme of bound tokens for one that isn't.
  const isProven =
    principal.keyThumbprint === undefined ? scheme !== 'dpop' : principal.keyThumbprint === call.provenKey;
  if (!isProven) throw commonErrors.DPOP_PROOF_INVALID({ cause: new SpentToken(principal.userId) });
  call.principal = principal;
  call.accessToken = token;
}

interface Credentials {
  readonly scheme: string;
  readonly token: string;
}

function credentialsOf(call: ServerCall): Credentials | undefined {
  const header = call.headers.authorization;
  if (header === undefined) return undefined;
  if (header.length > AUTHORIZATION_MAX_CHARACTERS) throw commonErrors.TOKEN_INVALID();
  const [, scheme, token] = CREDENTIALS_PATTERN.exec(header) ?? [];
  if (scheme === undefined || token === undefined) throw commonErrors.TOKEN_INVALID();
  return { scheme: scheme.toLowerCase(), token };
}
