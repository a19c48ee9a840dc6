import type { AddressInfo } from 'node:net';
import { Code } from '@connectrpc/connect';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { GetReceiptResponse } from '@strongroom/gen/strongroom/admin/v1/transparency_pb.ts';
import { defineErrors } from '@strongroom/platform/errors';
import type { ServiceIdentity } from '@strongroom/platform/identity';
import { createRpcServer, type RpcRoute } from '@strongroom/platform/rpc';
import { createLogger } from '@strongroom/platform/telemetry';

const errors = defineErrors('admin.strongroom', {
  AUDIT_EVENT_NOT_FOUND: { code: Code.NotFound, status: 404, message: 'x', retry: 'never', level: 'info' },
});

/** What the log holds, by the event's id. */
export type LoggedEvents = Map<string, Pick<GetReceiptResponse, 'source' | 'resourceId' | 'actorId'>>;

/** The part of admin that payments asks, behind the same server, certificates and policy as the real one. */
export async function startAdminUpstream(identity: ServiceIdentity) {
  const logged: LoggedEvents = new Map();
  const implementation: RpcRoute<typeof AdminService>['implementation'] = {
    async getReceipt({ eventId }) {
      const event = logged.get(eventId);
      if (event === undefined) throw errors.AUDIT_EVENT_NOT_FOUND();
      return { ...event, tlogProof: `proof of ${eventId}` };
    },
  };
  const app = await createRpcServer({
    name: 'admin',
    identity,
    logger: createLogger({ name: 'admin', level: 'silent' }),
    routes: [{ service: AdminService, implementation }],
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `https://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    logged,
    close: () => app.close(),
  };
}
