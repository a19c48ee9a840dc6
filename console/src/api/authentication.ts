import { getOption } from '@bufbuild/protobuf';
import type { Interceptor } from '@connectrpc/connect';
import { Audience, policy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { hasReason } from '../errors/service-error.ts';
import { renewSession, usableAccessToken } from '../session/renew-session.ts';

const endedReasons = ['TOKEN_EXPIRED', 'TOKEN_REVOKED', 'TOKEN_INVALID'] as const;

/** The contract says which methods need a person; those get the token, renewed once if the server no longer takes it. */
export const authentication: Interceptor = (next) => async (request) => {
  if (getOption(request.method, policy).access?.audience === Audience.PUBLIC) return next(request);
  const token = await usableAccessToken();
  if (token === undefined) return next(request);
  request.header.set('authorization', `Bearer ${token}`);
  try {
    return await next(request);
  } catch (error) {
    if (request.stream || !hasReason(error, ...endedReasons)) throw error;
    await renewSession(token);
    request.header.set('authorization', `Bearer ${await usableAccessToken()}`);
    return next(request);
  }
};
