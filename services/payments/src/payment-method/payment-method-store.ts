import type { FieldCipher } from '@strongroom/platform/crypto';
import type { Queryable } from '@strongroom/platform/database';
import type { Deps } from '../deps.ts';
import type { MaskedMethod } from './payment-method.ts';

export interface PaymentMethodRow extends MaskedMethod {
  readonly id: string;
  readonly createTime: string;
}

/** What is sealed before it gets here; the store never sees it in clear. */
export interface SealedParts {
  readonly number: Buffer;
  readonly numberIndex: Buffer;
  readonly holderName: Buffer | null;
  readonly pspToken: Buffer | null;
}

const table = 'payment_methods';

export function placeOf(column: 'number' | 'holder_name' | 'psp_token', row: string) {
  return { table, column, row };
}

/** One blind index for each key of the ring: a number that was added under an older key is found too. */
export function numberIndexes(cipher: FieldCipher, number: string): readonly [Buffer, ...Buffer[]] {
  const place = { table, column: 'number' };
  const older = cipher.keyIds.filter((keyId) => keyId !== cipher.activeKeyId);
  return [cipher.index(number, place), ...older.map((keyId) => cipher.index(number, place, keyId))];
}

export async function insertPaymentMethod(
  tx: Queryable,
  userId: string,
  method: PaymentMethodRow,
  sealed: SealedParts,
): Promise<void> {
  await tx.sql`
    insert into payment_methods (id, user_id, kind, brand, last4, exp_month, exp_year, number, number_index, holder_name,
      psp_token, create_time)
    values (${method.id}, ${userId}, ${method.kind}, ${method.brand}, ${method.last4}, ${method.expMonth},
      ${method.expYear}, ${sealed.number}, ${sealed.numberIndex}, ${sealed.holderName}, ${sealed.pspToken},
      ${method.createTime})`;
}

export async function hasNumber(source: Queryable, userId: string, indexes: readonly Buffer[]): Promise<boolean> {
  const rows = await source.sql`
    select 1 from payment_methods
    where user_id = ${userId} and remove_time is null and number_index in ${source.sql([...indexes])} limit 1`;
  return rows.length > 0;
}

export async function countPaymentMethods(source: Queryable, userId: string): Promise<number> {
  const [row] = await source.sql<{ count: number }[]>`
    select count(*)::int as count from payment_methods where user_id = ${userId} and remove_time is null`;
  return row?.count ?? 0;
}

export async function listPaymentMethodRows(
  source: Queryable,
  userId: string,
  after: readonly string[] | undefined,
  rowsMax: number,
): Promise<PaymentMethodRow[]> {
  const { sql } = source;
  const [time, id] = after ?? [];
  return [
    ...(await sql<PaymentMethodRow[]>`
      select id, kind, brand, last4, exp_month as "expMonth", exp_year as "expYear", create_time as "createTime"
      from payment_methods where user_id = ${userId} and remove_time is null
        ${time === undefined || id === undefined ? sql`` : sql`and (create_time, id) < (${time}, ${id})`}
      order by create_time desc, id desc limit ${rowsMax}`),
  ];
}

/** What identifies the card or account goes; the masked row stays for the payments that name it. */
export async function removePaymentMethodRow(tx: Queryable, id: string, userId: string): Promise<boolean> {
  const rows = await tx.sql`
    update payment_methods set remove_time = now(), number = null, number_index = null, holder_name = null,
      psp_token = null
    where id = ${id} and user_id = ${userId} and remove_time is null
    returning 1`;
  return rows.length === 1;
}

export async function isOwnPaymentMethod(source: Queryable, id: string, userId: string): Promise<boolean> {
  const rows = await source.sql`
    select 1 from payment_methods where id = ${id} and user_id = ${userId} and remove_time is null`;
  return rows.length === 1;
}

/** The provider's token, opened for the one request that needs it. Null where there is none, or the method is gone. */
export async function findPaymentMethodToken(
  { database, cipher }: Pick<Deps, 'database' | 'cipher'>,
  id: string,
): Promise<string | null> {
  const [row] = await database.sql<{ token: Buffer | null }[]>`
    select psp_token as token from payment_methods where id = ${id}`;
  if (row === undefined || row.token === null) return null;
  return cipher.open(row.token, placeOf('psp_token', id));
}
