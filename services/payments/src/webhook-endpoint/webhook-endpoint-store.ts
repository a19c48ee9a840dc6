import type { FieldCipher } from '@strongroom/platform/crypto';
import type { Queryable } from '@strongroom/platform/database';

export interface WebhookEndpointRow {
  readonly id: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly enabled: boolean;
  readonly createTime: string;
}

const table = 'webhook_endpoints';

export function secretPlace(row: string, column: 'secret' | 'previous_secret' = 'secret') {
  return { table, column, row };
}

function endpointColumns({ sql }: Queryable) {
  return sql`id, url, event_types as "eventTypes", enabled, create_time as "createTime"`;
}

export async function insertEndpoint(
  tx: Queryable,
  userId: string,
  endpoint: WebhookEndpointRow,
  sealedSecret: Buffer,
): Promise<void> {
  await tx.sql`
    insert into webhook_endpoints (id, user_id, url, event_types, secret, create_time)
    values (${endpoint.id}, ${userId}, ${endpoint.url}, ${[...endpoint.eventTypes]}::text[], ${sealedSecret},
      ${endpoint.createTime})`;
}

export async function countEndpoints(source: Queryable, userId: string): Promise<number> {
  const [row] = await source.sql<{ count: number }[]>`
    select count(*)::int as count from webhook_endpoints where user_id = ${userId}`;
  return row?.count ?? 0;
}

export async function findEndpoint(
  source: Queryable,
  id: string,
  userId: string,
): Promise<WebhookEndpointRow | undefined> {
  const [row] = await source.sql<WebhookEndpointRow[]>`
    select ${endpointColumns(source)} from webhook_endpoints where id = ${id} and user_id = ${userId}`;
  return row;
}

export async function listEndpointRows(
  source: Queryable,
  userId: string,
  after: readonly string[] | undefined,
  rowsMax: number,
): Promise<WebhookEndpointRow[]> {
  const { sql } = source;
  const [time, id] = after ?? [];
  return [
    ...(await sql<WebhookEndpointRow[]>`
      select ${endpointColumns(source)} from webhook_endpoints where user_id = ${userId}
        ${time === undefined || id === undefined ? sql`` : sql`and (create_time, id) < (${time}, ${id})`}
      order by create_time desc, id desc limit ${rowsMax}`),
  ];
}

/** Its deliveries go with it. */
export async function deleteEndpoint(tx: Queryable, id: string, userId: string): Promise<boolean> {
  const rows = await tx.sql`
    delete from webhook_endpoints where id = ${id} and user_id = ${userId} returning 1`;
  return rows.length === 1;
}

/** The old secret moves to the second place, where it is sealed for: a ciphertext opens in its own column only. */
export async function replaceSecret(
  tx: Queryable,
  cipher: FieldCipher,
  change: { readonly id: string; readonly userId: string; readonly secret: string; readonly overlapS: number },
): Promise<boolean> {
  const { id, userId, secret, overlapS } = change;
  const [row] = await tx.sql<{ secret: Buffer }[]>`
    select secret from webhook_endpoints where id = ${id} and user_id = ${userId} for update`;
  if (row === undefined) return false;
  const previous = cipher.seal(cipher.open(row.secret, secretPlace(id)), secretPlace(id, 'previous_secret'));
  await tx.sql`
    update webhook_endpoints set secret = ${cipher.seal(secret, secretPlace(id))}, previous_secret = ${previous},
      previous_secret_until = now() + ${overlapS} * interval '1 second'
    where id = ${id}`;
  return true;
}

export async function disableEndpoint(tx: Queryable, id: string): Promise<boolean> {
  const rows = await tx.sql`
    update webhook_endpoints set enabled = false where id = ${id} and enabled returning 1`;
  return rows.length === 1;
}

/** Notes the outcome for the endpoint as a whole; answers since when it has failed without a break, in seconds. */
export async function noteEndpointOutcome(tx: Queryable, id: string, isDelivered: boolean): Promise<number> {
  if (isDelivered) {
    await tx.sql`update webhook_endpoints set failing_since = null where id = ${id} and failing_since is not null`;
    return 0;
  }
  await tx.sql`update webhook_endpoints set failing_since = now() where id = ${id} and failing_since is null`;
  const [row] = await tx.sql<{ seconds: number }[]>`
    select floor(extract(epoch from now() - failing_since))::int as seconds from webhook_endpoints where id = ${id}`;
  return row?.seconds ?? 0;
}
