import { sha256 } from '@strongroom/platform/crypto';

export type RoleName = 'CUSTOMER' | 'VENDOR' | 'ADMIN';
export type StatusName = 'ACTIVE' | 'SUSPENDED' | 'DELETED';

/** An account as stored, times as the database writes them. */
export interface UserRow {
  readonly id: string;
  /** Null once erased. */
  readonly email: string | null;
  readonly name: string;
  readonly role: RoleName;
  readonly status: StatusName;
  readonly emailVerified: boolean;
  readonly passwordHash: string | null;
  readonly passwordChangeRequired: boolean;
  readonly mfaEnabled: boolean;
  readonly createTime: string;
  readonly updateTime: string;
  readonly version: bigint;
}

/** What an administrator is about to do to an account. */
export type AdminAct = 'demote' | 'suspend' | 'delete' | 'other';

export type GuardVerdict = 'allowed' | 'last-admin' | 'self';

/** What the guard looks at, read under the lock that serialises such acts. */
export interface GuardFacts {
  readonly actorId: string;
  readonly user: Pick<UserRow, 'id' | 'role' | 'status'>;
  readonly activeAdminCount: number;
  /** DeleteUser through EraseMe: people may erase themselves, administrators' console may not do it to its own user. */
  readonly isOwnErasure?: boolean;
}

/** Older fault 34: the last active administrator stays one, and nobody demotes, suspends or deletes himself. */
export function guardUserAct(act: AdminAct, facts: GuardFacts): GuardVerdict {
  if (act === 'other') return 'allowed';
  const isActiveAdmin = facts.user.role === 'ADMIN' && facts.user.status === 'ACTIVE';
  if (isActiveAdmin && facts.activeAdminCount <= 1) return 'last-admin';
  if (facts.actorId === facts.user.id && facts.isOwnErasure !== true) return 'self';
  return 'allowed';
}

/** RFC 9110 section 8.8.3, strong: changes with every write. */
export function etagOf(user: Pick<UserRow, 'version'>): string {
  return `"${user.version}"`;
}

/**
 * The form that makes an address unique and that counters go by. The contract's treatment (EMAIL) has trimmed and
 * lower-cased it; doing it again keeps calls from inside honest (older fault 16).
 */
export function normaliseEmail(email: string): string {
  return email.normalize('NFC').trim().toLowerCase();
}

export function emailHash(email: string): Buffer {
  return sha256(`email\n${normaliseEmail(email)}`);
}
