import { openSql } from '@strongroom/testkit';
import type { TestSystem } from './system-fixture.ts';

/** Puts a person's sign-ins back by an hour, beyond what any method of the contract takes for recent. */
export async function ageSignIns({ engines }: Pick<TestSystem, 'engines'>, userId: string): Promise<void> {
  const url = new URL(engines.postgres.superuserUrl);
  url.pathname = '/auth_db';
  const sql = openSql(url.href);
  try {
    await sql`update sessions set authentication_time = authentication_time - interval '1 hour' where user_id = ${userId}`;
  } finally {
    await sql.end();
  }
}
