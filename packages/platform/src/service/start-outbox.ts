import type { Client } from '@connectrpc/connect';
import type { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { createOutbox, type Outbox } from '../outbox/index.ts';
import type { Lifecycle } from '../process/index.ts';
import type { ServiceResources } from './open-service.ts';

const confirmTimeoutMs = 5_000;

export interface OutboxPeers {
  readonly admin: Client<typeof AdminService>;
  readonly lifecycle: Pick<Lifecycle, 'onClose'>;
}

/** Relay and reconciler of a service whose events the admin service confirms. */
export function startOutbox(
  { database, bus, logger, metrics }: Pick<ServiceResources, 'database' | 'bus' | 'logger' | 'metrics'>,
  { admin, lifecycle }: OutboxPeers,
): Outbox {
  const outbox = createOutbox({
    database,
    bus,
    logger,
    metrics,
    async confirm(eventIds) {
      const { storedEventIds } = await admin.confirmEvents(
        { eventIds: [...eventIds] },
        { timeoutMs: confirmTimeoutMs },
      );
      return storedEventIds;
    },
  });
  outbox.start();
  lifecycle.onClose(() => outbox.stop());
  return outbox;
}
