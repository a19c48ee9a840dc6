import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { uuidv7 } from '@strongroom/platform/crypto';
import { serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import type { Deps } from '../deps.ts';
import { normaliseEmail } from './user.ts';
import { insertUser, lockAdminGuard } from './user-store.ts';

/** 144 random bits; the suffix brings what the composition rules ask for. */
const passwordBytes = 18;

/**
 * The first administrator, made when there is none at the first start (older fault 56: no shared known password). The
 * password is written once to a file that only its owner can read, goes to no log, and must be changed (V6.3.2, V6.4.1).
 */
export async function provideFirstAdmin(deps: Deps): Promise<boolean> {
  if (await hasAdmin(deps)) return false;
  const password = `${randomBytes(passwordBytes).toString('base64url')}-Aa1`;
  const passwordHash = await deps.hasher.hash(password);
  const email = normaliseEmail(deps.config.FIRST_ADMIN_EMAIL);
  // Written before it counts: a crash in between leaves a file without an account, never an account without a password.
  const draft = await writeDraft(deps.config.FIRST_ADMIN_FILE, { email, password });
  const act = serviceAct('auth');
  const id = uuidv7();
  const isMade = await deps.database.transaction(act, async (tx) => {
    await lockAdminGuard(tx);
    // Another instance came first.
    if (await hasAdmin({ database: tx })) return false;
    const account = {
      name: 'Administrator',
      role: 'ADMIN' as const,
      emailVerified: true,
      passwordChangeRequired: true,
    };
    if (!(await insertUser(tx, { id, email, passwordHash, ...account }))) return false;
    await appendEvent(tx, act, {
      action: 'USER_CREATED',
      resourceType: 'user',
      resourceId: id,
      subjectId: id,
      details: { role: 'ADMIN', reason: 'first start' },
    });
    return true;
  });
  if (isMade) await rename(draft, deps.config.FIRST_ADMIN_FILE);
  else await rm(draft, { force: true });
  return isMade;
}

async function hasAdmin({ database }: { readonly database: Pick<Deps['database'], 'sql'> }): Promise<boolean> {
  const rows = await database.sql`select 1 from users where role = 'ADMIN' limit 1`;
  return rows.length === 1;
}

async function writeDraft(path: string, content: { email: string; password: string }): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${uuidv7()}.draft`;
  await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  // The mode above holds only for a file that is new.
  await chmod(draft, 0o600);
  return draft;
}
