import { clockTime, type Queryable } from '@strongroom/platform/database';
import { and, desc, eq, inArray, isNull } from 'drizzle-orm';
import { knownDevices } from '../schema.ts';

/** Older ones are forgotten: each known device is worth a counter of guesses of its own. */
const devicesMax = 20;

export async function insertKnownDevice(db: Queryable, id: string, userId: string): Promise<void> {
  await db.orm.insert(knownDevices).values({ id, userId });
  const older = db.orm
    .select({ id: knownDevices.id })
    .from(knownDevices)
    .where(isKnownOf(userId))
    .orderBy(desc(knownDevices.lastUsedTime), desc(knownDevices.id))
    .offset(devicesMax);
  await db.orm.update(knownDevices).set({ revokeTime: clockTime }).where(inArray(knownDevices.id, older));
}

export async function isDeviceKnown(db: Queryable, id: string, userId: string): Promise<boolean> {
  const rows = await db.orm
    .select({ id: knownDevices.id })
    .from(knownDevices)
    .where(and(eq(knownDevices.id, id), isKnownOf(userId)));
  return rows.length === 1;
}

export async function touchKnownDevice(db: Queryable, id: string): Promise<void> {
  await db.orm.update(knownDevices).set({ lastUsedTime: clockTime }).where(eq(knownDevices.id, id));
}

/** After a reset whoever held the account before may hold a device token too. */
export async function revokeKnownDevices(db: Queryable, userId: string): Promise<void> {
  await db.orm.update(knownDevices).set({ revokeTime: clockTime }).where(isKnownOf(userId));
}

function isKnownOf(userId: string) {
  return and(eq(knownDevices.userId, userId), isNull(knownDevices.revokeTime));
}
