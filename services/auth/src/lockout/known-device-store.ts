import type { Executor } from '../store.ts';

/** Older ones are forgotten: each known device is worth a counter of guesses of its own. */
const devicesMax = 20;

export async function insertKnownDevice({ sql }: Executor, id: string, userId: string): Promise<void> {
  await sql`insert into known_devices (id, user_id) values (${id}, ${userId})`;
  await sql`
    update known_devices set revoke_time = clock_timestamp()
    where id in (
      select id from known_devices where user_id = ${userId} and revoke_time is null
      order by last_used_time desc, id desc offset ${devicesMax})`;
}

export async function isDeviceKnown({ sql }: Executor, id: string, userId: string): Promise<boolean> {
  const rows = await sql`
    select 1 from known_devices where id = ${id} and user_id = ${userId} and revoke_time is null`;
  return rows.length === 1;
}

export async function touchKnownDevice({ sql }: Executor, id: string): Promise<void> {
  await sql`update known_devices set last_used_time = clock_timestamp() where id = ${id}`;
}

/** After a reset whoever held the account before may hold a device token too. */
export async function revokeKnownDevices({ sql }: Executor, userId: string): Promise<void> {
  await sql`
    update known_devices set revoke_time = clock_timestamp() where user_id = ${userId} and revoke_time is null`;
}
