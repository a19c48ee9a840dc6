import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ListAuditEventsRequestSchema } from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import { instantOf } from '../../time/zone.ts';
import type { FormValues } from '../../ui/form-values.ts';

/** What is looked for, as a person has typed it. */
export interface AuditFilter {
  readonly action?: string;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly actorId?: string;
  readonly subjectId?: string;
  readonly text?: string;
  readonly from?: string;
  readonly to?: string;
}

export function readAuditFilter(values: FormValues): AuditFilter {
  return {
    action: values.optional('action'),
    resourceType: values.optional('resource_type'),
    resourceId: values.optional('resource_id'),
    actorId: values.optional('actor_id'),
    subjectId: values.optional('subject_id'),
    text: values.optional('text'),
    from: values.optional('from'),
    to: values.optional('to'),
  };
}

/** `zone`: whose clocks the times were read from. */
export function auditFilterToRequest(
  { from, to, ...filter }: AuditFilter,
  zone: string,
): MessageInitShape<typeof ListAuditEventsRequestSchema> {
  return { ...filter, from: timeOf(from, zone), to: timeOf(to, zone) };
}

function timeOf(wallTime: string | undefined, zone: string) {
  return wallTime === undefined ? undefined : timestampFromDate(instantOf(wallTime, zone));
}
