import type { Message } from '@bufbuild/protobuf';
import type { Bus } from '../bus/index.ts';
import type { Database } from '../database/index.ts';
import { isServiceError } from '../errors/index.ts';
import type { ResourceType } from '../events/index.ts';
import { appendEvent, type NewEvent, publishEvent } from '../outbox/index.ts';
import { type AuditSensitiveRead, actOf, type Call, type RefusalAudit } from '../rpc/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type RefusalCount, RefusalTally } from './refusal-tally.ts';

/**
 * Records refused calls as AUTHORIZATION_DENIED (S7.3), which would leave no trace otherwise. One by a person or a
 * service is recorded before it is answered; those of nobody known by way of a tally.
 */
export function createRefusalAudit({ database, logger }: { database: Database; logger: Logger }): RefusalAudit {
  const record = (refusals: RefusalCount) => recordRefusals(database, refusals);
  const tally = new RefusalTally({
    record: (refusals) =>
      record(refusals).catch((error: unknown) => {
        const { method, reason, count } = refusals;
        logger.error({ err: error, method, reason, count }, 'refusals could not be recorded');
      }),
  });
  return {
    async record(call, { reason, subjectId }) {
      const act = actOf(call);
      const refusal = { act, method: methodName(call), reason, resourceType: resourceTypeOf(call), subjectId };
      if (act.actorKind === 'anonymous') tally.note(refusal);
      else await record({ ...refusal, count: 1 });
    },
    close: () => tally.close(),
  };
}

async function recordRefusals(database: Database, refusals: RefusalCount): Promise<void> {
  const { act, method, reason, resourceType, subjectId, count } = refusals;
  await database.transaction(act, (tx) =>
    appendEvent(tx, act, {
      action: 'AUTHORIZATION_DENIED',
      resourceType,
      resourceId: '',
      ...(subjectId === undefined ? {} : { subjectId }),
      details: { method, reason, ...(count === 1 ? {} : { count: String(count) }) },
    }),
  );
}

/**
 * Records that a method marked sensitive_read has answered: who saw what. With a bus, what was answered from a kept read
 * goes on record there while the database is away (S5.3).
 */
export function createAuditSensitiveRead(database: Database, bus?: Pick<Bus, 'publish'>): AuditSensitiveRead {
  return async (call, request) => {
    const act = actOf(call);
    const event: NewEvent = {
      action: 'SENSITIVE_READ',
      resourceType: resourceTypeOf(call),
      resourceId: resourceIdOf(request) ?? call.principal?.userId ?? '',
      details: { method: methodName(call) },
    };
    try {
      await database.transaction(act, (tx) => appendEvent(tx, act, event));
    } catch (error) {
      if (bus === undefined || !isServiceError(error, 'UNAVAILABLE')) throw error;
      await publishEvent(bus, database.name, act, event);
    }
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
