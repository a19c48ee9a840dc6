import type { AuditEvent } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Time } from '../../time/time.tsx';
import { Badge } from '../../ui/badge.tsx';
import { Identifier } from '../../ui/identifier.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { actorInWords, inWords } from '../../ui/words.ts';
import { EventDetails } from './event-details.tsx';

interface EventTableProps {
  readonly events: readonly AuditEvent[];
  readonly caption: string;
  readonly empty: ReactNode;
}

export function EventTable({ events, caption, empty }: EventTableProps) {
  return <Table caption={caption} columns={columns} rows={events} keyOf={({ id }) => id} empty={empty} />;
}

const columns: Column<AuditEvent>[] = [
  { title: 'No.', isNumber: true, cell: ({ sequence }) => String(sequence) },
  { title: 'When', cell: ({ occurTime }) => <Time value={occurTime} /> },
  {
    title: 'Action',
    cell: ({ action, damaged }) => (
      <>
        <code>{action}</code> {damaged && <Badge tone="bad">Damaged</Badge>}
      </>
    ),
  },
  {
    title: 'Resource',
    cell: ({ resourceType, resourceId }) => (
      <>
        {inWords(resourceType)} {resourceId !== '' && <Identifier id={resourceId} />}
      </>
    ),
  },
  { title: 'Actor', cell: actorOf },
  {
    title: 'More',
    cell: (event) => (
      <span className="actions">
        <EventDetails event={event} /> <Link href={`/proof?sequence=${event.sequence}`}>Proof</Link>
      </span>
    ),
  },
];

function actorOf({ actorId, actorKind, actorName }: AuditEvent): ReactNode {
  if (actorId !== '') return <Identifier id={actorId} />;
  return actorInWords(actorName || actorKind);
}
