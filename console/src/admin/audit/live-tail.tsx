import { createClient } from '@connectrpc/connect';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import type { AuditEvent } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { useRef, useState } from 'react';
import { transport } from '../../api/transport.ts';
import { LiveBadge, WatchError } from '../../watch/live-badge.tsx';
import { useWatch } from '../../watch/use-watch.ts';
import type { AuditFilter } from './audit-filter.ts';
import { EventTable } from './event-table.tsx';

/** Older ones leave the page, not the log. */
const eventsShownMax = 200;

const admin = createClient(AdminService, transport);

/** Each new event as the log takes it. The server filters by action and resource type, the page by the rest. */
export function LiveTail({ filter }: { filter: AuditFilter }) {
  const { action, resourceType } = filter;
  // A reader sets its own start: another filter begins with what is new from then on.
  return <Tail key={`${action} ${resourceType}`} filter={filter} />;
}

function Tail({ filter }: { filter: AuditFilter }) {
  const { action, resourceType } = filter;
  const [events, setEvents] = useState<readonly AuditEvent[]>([]);
  const lastSequence = useRef<bigint>(undefined);
  const watch = useWatch({
    isOn: true,
    open: (signal) => admin.watchAuditEvents({ afterSequence: lastSequence.current, action, resourceType }, { signal }),
    onMessage({ event }) {
      if (event === undefined) return;
      lastSequence.current = event.sequence;
      setEvents((before) => [event, ...before].slice(0, eventsShownMax));
    },
  });
  return (
    <>
      <p>
        <LiveBadge watch={watch} /> New events come in at the top.
      </p>
      <WatchError watch={watch} />
      <div aria-live="polite">
        <EventTable
          events={events.filter((event) => fits(event, filter))}
          caption="New events, newest first"
          empty="Nothing has happened since this page was opened."
        />
      </div>
    </>
  );
}

function fits(event: AuditEvent, { actorId, subjectId, resourceId, text }: AuditFilter): boolean {
  const hasText = (value: string) => value.toLowerCase().includes(text?.toLowerCase() ?? '');
  return (
    (actorId === undefined || event.actorId === actorId) &&
    (subjectId === undefined || event.subjectId === subjectId) &&
    (resourceId === undefined || event.resourceId === resourceId) &&
    (text === undefined || [event.id, event.resourceId, ...Object.values(event.details)].some(hasText))
  );
}
