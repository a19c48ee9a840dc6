import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { protoToTimestamp } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { isAuditAction, isResourceType } from '@strongroom/platform/events';
import type { SearchFilter } from './audit-search.ts';

interface FilterRequest {
  readonly action?: string | undefined;
  readonly actorId?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly resourceType?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly from?: Timestamp | undefined;
  readonly to?: Timestamp | undefined;
  readonly text?: string | undefined;
}

/** A filter by a value that no record can have is a fault of the caller, not an empty answer. */
export function requestToFilter(request: FilterRequest): SearchFilter {
  requireKnown('action', request.action, isAuditAction);
  requireKnown('resource_type', request.resourceType, isResourceType);
  const { action, actorId, subjectId, resourceType, resourceId, text } = request;
  const filter = {
    action,
    actorId: actorId?.toLowerCase(),
    subjectId: subjectId?.toLowerCase(),
    resourceType,
    resourceId,
    from: request.from && protoToTimestamp(request.from),
    to: request.to && protoToTimestamp(request.to),
    text,
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function requireKnown(field: string, value: string | undefined, isKnown: (text: string) => boolean): void {
  if (value === undefined || isKnown(value)) return;
  throw commonErrors.VALIDATION_FAILED({
    violations: [{ field, rule: 'closed_list', message: 'must be one of those ListAuditActions gives' }],
  });
}
