import type { AuditEvent } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { useState } from 'react';
import { Time } from '../../time/time.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Facts } from '../../ui/facts.tsx';
import { actorInWords, inWords } from '../../ui/words.ts';

export function EventDetails({ event }: { event: AuditEvent }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <button type="button" className="link" onClick={() => setOpen(true)}>
        Details
      </button>
      {isOpen && (
        <Dialog title={`Event ${event.sequence}: ${event.action}`} onClose={close}>
          {event.erased && <p className="notice">The personal parts of this event were erased.</p>}
          {event.damaged && (
            <p className="notice notice-error">The stored record is not the one that was logged. Check its proof.</p>
          )}
          <Facts
            facts={[
              ['Id', event.id],
              ['Occurred', <Time key="occurred" value={event.occurTime} />],
              ['Recorded', <Time key="recorded" value={event.recordTime} />],
              ['Resource', `${inWords(event.resourceType)} ${event.resourceId}`],
              [
                'Actor',
                [...new Set([event.actorKind, event.actorName].map(actorInWords)), event.actorId]
                  .filter(Boolean)
                  .join(' '),
              ],
              ['Subject', event.subjectId],
              ['IP address', event.ipAddress],
              ['User agent', event.userAgent],
              ['Device', event.deviceId],
              ['Request', event.requestId],
              ['Trace', event.traceId],
              ['Source', event.source],
            ]}
          />
          <Facts facts={Object.entries(event.details)} />
          <div className="form-actions">
            <button type="button" className="primary" onClick={close}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
