import { type FieldCipher, openRow, sealRow } from '@strongroom/platform/crypto';
import { isPast, type Queryable } from '@strongroom/platform/database';
import type { PageBounds } from '@strongroom/platform/paging';
import { and, desc, eq, getTableName, inArray, isNull, sql } from 'drizzle-orm';
import type { Deps } from '../deps.ts';
import { paymentMethods } from '../schema.ts';

type StoredMethod = typeof paymentMethods.$inferSelect;
/** What may be known of a method once its number is sealed. */
export type PaymentMethodRow = Readonly<
  Pick<StoredMethod, 'id' | 'kind' | 'brand' | 'last4' | 'expMonth' | 'expYear' | 'createTime'>
>;

/** What is sealed on its way into the row. */
export interface MethodSecrets {
  readonly number: string;
  readonly holderName: string | null;
  readonly pspToken: string | null;
}

/** One blind index for each key of the ring: a number that was added under an older key is found too. */
export function numberIndexes(cipher: FieldCipher, number: string): readonly [Buffer, ...Buffer[]] {
  const place = { table: getTableName(paymentMethods), column: paymentMethods.number.name };
  const older = cipher.keyIds.filter((keyId) => keyId !== cipher.activeKeyId);
  return [cipher.index(number, place), ...older.map((keyId) => cipher.index(number, place, keyId))];
}

export async function insertPaymentMethod(
  tx: Queryable,
  cipher: FieldCipher,
  userId: string,
  method: PaymentMethodRow,
  secrets: MethodSecrets,
): Promise<void> {
  await tx.orm.insert(paymentMethods).values({
    ...sealRow(cipher, paymentMethods, method.id, { ...method, ...secrets, userId }),
    numberIndex: numberIndexes(cipher, secrets.number)[0],
  });
}

export async function hasNumber(source: Queryable, userId: string, indexes: readonly Buffer[]): Promise<boolean> {
  const rows = await source.orm
    .select({ id: paymentMethods.id })
    .from(paymentMethods)
    .where(and(isHeldBy(userId), inArray(paymentMethods.numberIndex, [...indexes])))
    .limit(1);
  return rows.length > 0;
}

export async function countPaymentMethods(source: Queryable, userId: string): Promise<number> {
  return await source.orm.$count(paymentMethods, isHeldBy(userId));
}

/** Newest first. */
export async function listPaymentMethodRows(
  source: Queryable,
  userId: string,
  { after, rowsMax }: PageBounds,
): Promise<PaymentMethodRow[]> {
  const { id, kind, brand, last4, expMonth, expYear, createTime } = paymentMethods;
  return await source.orm
    .select({ id, kind, brand, last4, expMonth, expYear, createTime })
    .from(paymentMethods)
    .where(and(isHeldBy(userId), isPast(after, [createTime, id], 'descending')))
    .orderBy(desc(createTime), desc(id))
    .limit(rowsMax);
}

/** What identifies the card or account goes; the masked row stays for the payments that name it. */
export async function removePaymentMethodRow(tx: Queryable, id: string, userId: string): Promise<boolean> {
  const rows = await tx.orm
    .update(paymentMethods)
    .set({ removeTime: sql`now()`, number: null, numberIndex: null, holderName: null, pspToken: null })
    .where(and(eq(paymentMethods.id, id), isHeldBy(userId)))
    .returning({ id: paymentMethods.id });
  return rows.length === 1;
}

export async function isOwnPaymentMethod(source: Queryable, id: string, userId: string): Promise<boolean> {
  return (await source.orm.$count(paymentMethods, and(eq(paymentMethods.id, id), isHeldBy(userId)))) === 1;
}

function isHeldBy(userId: string) {
  return and(eq(paymentMethods.userId, userId), isNull(paymentMethods.removeTime));
}

/** The provider's token, opened for the one request that needs it. Null where there is none, or the method is gone. */
export async function findPaymentMethodToken(
  { database, cipher }: Pick<Deps, 'database' | 'cipher'>,
  id: string,
): Promise<string | null> {
  const [row] = await database.orm
    .select({ pspToken: paymentMethods.pspToken })
    .from(paymentMethods)
    .where(eq(paymentMethods.id, id));
  return row === undefined ? null : openRow(cipher, paymentMethods, id, row).pspToken;
}
