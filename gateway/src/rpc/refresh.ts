import { fromBinary, fromJsonString } from '@bufbuild/protobuf';
import { LimitClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeLimits } from '../edge/limits.ts';
import { refreshTokenOf } from '../rest/handle.ts';
import type { RpcMatch } from './routes.ts';

const envelopeHeadBytes = 5;

/** Counts a refresh that comes as an RPC against its session, like one that comes by REST (S1.1a). */
export async function checkRpcRefresh(
  request: FastifyRequest,
  reply: FastifyReply,
  match: RpcMatch,
  limits: EdgeLimits,
): Promise<void> {
  if (match.policy.limit !== LimitClass.REFRESH) return;
  await limits.checkRefresh(request, reply, tokenFromBody(match, request.body as Buffer | undefined));
}

/** A body that can't be read names no session; the service will say what is wrong with it. */
function tokenFromBody({ method, encoding }: RpcMatch, body: Buffer | undefined): string {
  if (body === undefined) return '';
  const bytes = encoding.protocol === 'grpc-web' ? body.subarray(envelopeHeadBytes) : body;
  try {
    const message = encoding.isBinary
      ? fromBinary(method.input, bytes)
      : fromJsonString(method.input, bytes.toString('utf8'), { ignoreUnknownFields: true });
    return refreshTokenOf(message);
  } catch {
    return '';
  }
}
