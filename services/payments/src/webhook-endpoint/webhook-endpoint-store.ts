import { type FieldCipher, openRow, sealRow } from '@strongroom/platform/crypto';
import { isPast, type Queryable } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { and, desc, eq, getTableName, isNotNull, isNull, sql } from 'drizzle-orm';
import { webhookEndpoints } from '../schema.ts';

type StoredEndpoint = typeof webhookEndpoints.$inferSelect;
export type WebhookEndpointRow = Readonly<Pick<StoredEndpoint, 'id' | 'url' | 'eventTypes' | 'enabled' | 'createTime'>>;

const { id, url, eventTypes, enabled, createTime } = webhookEndpoints;
const columns = { id, url, eventTypes, enabled, createTime };

/** Where a secret is sealed, for what claims deliveries and so reads it past the schema. */
export function secretPlace(row: string, column: 'secret' | 'previous_secret' = 'secret') {
  return { table: getTableName(webhookEndpoints), column, row };
}

export async function insertEndpoint(
  tx: Queryable,
  cipher: FieldCipher,
  userId: string,
  endpoint: WebhookEndpointRow & { readonly secret: string },
): Promise<void> {
  await tx.orm.insert(webhookEndpoints).values({ ...sealRow(cipher, webhookEndpoints, endpoint.id, endpoint), userId });
}

export async function countEndpoints(source: Queryable, userId: string): Promise<number> {
  return await source.orm.$count(webhookEndpoints, eq(webhookEndpoints.userId, userId));
}

export async function findEndpoint(
  source: Queryable,
  endpointId: string,
  userId: string,
): Promise<WebhookEndpointRow | undefined> {
  const [row] = await source.orm.select(columns).from(webhookEndpoints).where(isOwn(endpointId, userId));
  return row;
}

/** Newest first. */
export async function listEndpointRows(
  source: Queryable,
  userId: string,
  { after, rowsMax }: PageBounds,
): Promise<WebhookEndpointRow[]> {
  return await source.orm
    .select(columns)
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.userId, userId), isPast(after, [createTime, id], 'descending')))
    .orderBy(desc(createTime), desc(id))
    .limit(rowsMax);
}

/** Its deliveries go with it. */
export async function deleteEndpoint(tx: Queryable, endpointId: string, userId: string): Promise<boolean> {
  const rows = await tx.orm.delete(webhookEndpoints).where(isOwn(endpointId, userId)).returning({ id });
  return rows.length === 1;
}

/** The old secret moves to the second place, where it is sealed for: a ciphertext opens in its own column only. */
export async function replaceSecret(
  tx: Queryable,
  cipher: FieldCipher,
  change: { readonly id: string; readonly userId: string; readonly secret: string; readonly overlapS: number },
): Promise<boolean> {
  const [row] = await tx.orm
    .select({ secret: webhookEndpoints.secret })
    .from(webhookEndpoints)
    .where(isOwn(change.id, change.userId))
    .for('update');
  if (row === undefined) return false;
  const { secret: previousSecret } = openRow(cipher, webhookEndpoints, change.id, row);
  await tx.orm
    .update(webhookEndpoints)
    .set({
      ...sealRow(cipher, webhookEndpoints, change.id, { secret: change.secret, previousSecret }),
      previousSecretUntil: sql`now() + ${change.overlapS}::int * interval '1 second'`,
    })
    .where(eq(id, change.id));
  return true;
}

export async function disableEndpoint(tx: Queryable, endpointId: string): Promise<boolean> {
  const rows = await tx.orm
    .update(webhookEndpoints)
    .set({ enabled: false })
    .where(and(eq(id, endpointId), eq(enabled, true)))
    .returning({ id });
  return rows.length === 1;
}

/** Notes the outcome for the endpoint as a whole; answers since when it has failed without a break, in seconds. */
export async function noteEndpointOutcome(tx: Queryable, endpointId: string, isDelivered: boolean): Promise<number> {
  const { failingSince } = webhookEndpoints;
  const isChange = isDelivered ? isNotNull(failingSince) : isNull(failingSince);
  await tx.orm
    .update(webhookEndpoints)
    .set({ failingSince: isDelivered ? null : sql`now()` })
    .where(and(eq(id, endpointId), isChange));
  if (isDelivered) return 0;
  const [row] = await tx.orm
    .select({ seconds: sql<number>`floor(extract(epoch from now() - ${failingSince}))::int` })
    .from(webhookEndpoints)
    .where(eq(id, endpointId));
  return row?.seconds ?? 0;
}

function isOwn(endpointId: string, userId: string) {
  return and(eq(id, endpointId), eq(webhookEndpoints.userId, userId));
}
