import type { Message } from '@bufbuild/protobuf';
import type { Database } from '../database/index.ts';
import type { ResourceType } from '../events/index.ts';
import { appendEvent } from '../outbox/index.ts';
import { type AuditRefusal, type AuditSensitiveRead, actOf, type Call } from '../rpc/index.ts';

/** Records a refused call (S7.3). Without it the refusal would leave no trace. */
export function createAuditRefusal(database: Database): AuditRefusal {
  return async (call, reason) => {
    const act = actOf(call);
    await database.transaction(act, (tx) =>
      appendEvent(tx, act, {
        action: 'AUTHORIZATION_DENIED',
        resourceType: resourceTypeOf(call),
        resourceId: '',
        details: { method: methodName(call), reason },
      }),
    );
  };
}

/** Records that a method marked sensitive_read has answered: who saw what. */
export function createAuditSensitiveRead(database: Database): AuditSensitiveRead {
  return async (call, request) => {
    const act = actOf(call);
    const resourceId = resourceIdOf(request) ?? call.principal?.userId ?? '';
    await database.transaction(act, (tx) =>
      appendEvent(tx, act, {
        action: 'SENSITIVE_READ',
        resourceType: resourceTypeOf(call),
        resourceId,
        details: { method: methodName(call) },
      }),
    );
  };
}

function resourceTypeOf({ policy }: Call): ResourceType {
  return (policy.audit?.resourceType || 'system_config') as ResourceType;
}

function methodName({ method }: Call): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** The id that the request names. An e-mail address is personal and no id: it is left out. */
function resourceIdOf(request: Message): string | undefined {
  for (const name of ['id', 'userId'] as const) {
    const value = (request as Message & { readonly id?: unknown; readonly userId?: unknown })[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}
