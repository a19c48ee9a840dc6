import type { Queryable } from '@strongroom/platform/database';
import type { Deps } from '../deps.ts';

export async function isOwnPaymentMethod(source: Queryable, id: string, userId: string): Promise<boolean> {
  const rows = await source.sql`
    select 1 from payment_methods where id = ${id} and user_id = ${userId} and remove_time is null`;
  return rows.length === 1;
}

/** The provider's token, opened for the one request that needs it. Null once the method is removed. */
export async function findPaymentMethodToken(
  { database, cipher }: Pick<Deps, 'database' | 'cipher'>,
  id: string,
): Promise<string | null> {
  const [row] = await database.sql<{ token: Buffer | null }[]>`
    select psp_token as token from payment_methods where id = ${id} and remove_time is null`;
  if (row === undefined || row.token === null) return null;
  return cipher.open(row.token, { table: 'payment_methods', column: 'psp_token', row: id });
}
