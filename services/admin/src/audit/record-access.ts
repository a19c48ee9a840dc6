import type { Database } from '@strongroom/platform/database';
import { isResourceType } from '@strongroom/platform/events';
import { appendEvent } from '@strongroom/platform/outbox';
import { type AuditRefusal, type AuditSensitiveRead, actOf } from '@strongroom/platform/rpc';

const resourceTypeDefault = 'audit_log';

/** Who was refused what (S7.3). */
export function createRefusalAudit(database: Database): AuditRefusal {
  return async (call, reason) => {
    await appendEvent(database, actOf(call), {
      action: 'AUTHORIZATION_DENIED',
      resourceType: resourceTypeOf(call.policy.audit?.resourceType),
      resourceId: '',
      subjectId: call.principal?.userId,
      details: { method: call.method.name, reason },
    });
  };
}

/** Who looked at what, with the filter's names but none of its values (S7.3). */
export function createReadAudit(database: Database): AuditSensitiveRead {
  return async (call, request) => {
    const fields = request as unknown as Readonly<Record<string, unknown>>;
    const id = fields['id'] ?? fields['userId'];
    await appendEvent(database, actOf(call), {
      action: 'SENSITIVE_READ',
      resourceType: resourceTypeOf(call.policy.audit?.resourceType),
      resourceId: typeof id === 'string' ? id : '',
      subjectId: call.policy.audit?.resourceType === 'user' && typeof id === 'string' ? id : '',
      details: { method: call.method.name, filter: filterNames(fields) },
    });
  };
}

function filterNames(fields: Readonly<Record<string, unknown>>): string {
  const isSet = (value: unknown) => value !== undefined && value !== '' && value !== 0;
  return Object.keys(fields)
    .filter((name) => !name.startsWith('$') && isSet(fields[name]))
    .sort()
    .join(',');
}

function resourceTypeOf(text: string | undefined) {
  return text !== undefined && isResourceType(text) ? text : resourceTypeDefault;
}
