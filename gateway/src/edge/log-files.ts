import { create } from '@bufbuild/protobuf';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { GetTileRequestSchema, type GetTileResponse } from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { methodPolicy } from '@strongroom/platform/rpc';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceTarget } from '../clients.ts';
import { gatewayErrors } from '../errors.ts';
import type { EdgeLimits } from './limits.ts';
import { logPrefixes } from './pages.ts';
import { upstreamHeaders } from './upstream-headers.ts';

const filePattern = /^(?:checkpoint|tile\/(?:[0-9]{1,2}|entries)\/[x0-9/]{3,64}(?:\.p\/[0-9]{1,3})?)$/;
/** Full tiles never change (C2SP tlog-tiles); checkpoints and partial tiles do. */
const fullTilePattern = /^tile\/[^.]*$/;
const TILE_MAX_AGE_S = 31_536_000;

export interface LogFileDeps {
  readonly admin: ServiceTarget;
  readonly limits: EdgeLimits;
  readonly identify: (request: FastifyRequest) => Promise<void>;
}

/** Files of the verifiable log, as C2SP tlog-tiles names them (B-log). Admin decides who may read them. */
export function registerLogFiles(app: FastifyInstance, { admin, limits, identify }: LogFileDeps): void {
  const method = AdminService.method.getTile;
  const timeoutMs = methodPolicy(method).deadlineMs;
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    await identify(request);
    await limits.checkHead(request, reply);
    const path = (request.params as { '*': string })['*'];
    if (!filePattern.test(path)) throw gatewayErrors.ROUTE_NOT_FOUND();
    const { message } = await admin.call(method, create(GetTileRequestSchema, { path }), {
      headers: upstreamHeaders(request),
      timeoutMs,
    });
    const { file } = message as GetTileResponse;
    if (fullTilePattern.test(path)) {
      // What came for a token is for nobody else: the log may be open to administrators alone.
      const scope = request.headers.authorization === undefined ? 'public' : 'private';
      reply.header('cache-control', `${scope}, max-age=${TILE_MAX_AGE_S}, immutable`);
    }
    return reply.type(file?.contentType || 'application/octet-stream').send(Buffer.from(file?.data ?? []));
  };
  for (const prefix of logPrefixes) app.get(`${prefix}*`, answer);
}
