import type { Client } from '@connectrpc/connect';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type User, UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { type Database, serviceAct, type Transaction } from '@strongroom/platform/database';
import { isServiceError } from '@strongroom/platform/errors';
import { appendNotice, type NoticeKey } from '@strongroom/platform/outbox';
import type { AnomalyKindName } from './anomaly-rules.ts';
import {
  type AnomalyAction,
  isAlertedSince,
  listUnenforced,
  markEnforced,
  type StoredAnomaly,
} from './anomaly-store.ts';

const batchMax = 50;
const callTimeoutMs = 5_000;
const alertIntervalMs = 3_600_000;
const alertedAdminsMax = 50;
const noticeLifeMs = 86_400_000;
/** Below it only the list tells: a new device has a notice of its own, by auth. */
const noticeScoreMin = 0.5;

export interface EnforceDeps {
  readonly database: Database;
  readonly auth: Client<typeof AuthService>;
  readonly noticeKey: NoticeKey;
}

/** What people are told; the facts behind it are for administrators, in the log. */
const whatPeopleRead: Readonly<Record<AnomalyKindName, string>> = {
  NEW_COUNTRY: 'a sign-in from a country that you have not signed in from before',
  IMPOSSIBLE_TRAVEL: 'two sign-ins too far apart to travel between them',
  UNUSUAL_HOUR: 'a sign-in at an unusual hour',
  NEW_DEVICE: 'a sign-in from a new device',
  AMOUNT_OUTLIER: 'a payment of an unusual amount',
  VELOCITY: 'an unusual number of payments in a short time',
  CREDENTIAL_STUFFING: 'attempts to guess passwords',
  MASS_WRITE: 'an unusual change of many records',
};

const consequences: Readonly<Record<AnomalyAction, string>> = {
  observe: 'Nothing was changed.',
  step_up: 'All sessions were ended; you have to sign in again.',
  block: 'The account was suspended until an administrator has looked at it.',
};

/**
 * Does what the anomalies found call for, each until it is done: auth is asked, and whoever must know is told in the
 * transaction that says so. A crash between the two asks auth again, which changes nothing the second time (S7.2). Gives how
 * many were done.
 */
export async function enforceAnomalies(deps: EnforceDeps): Promise<number> {
  const anomalies = await listUnenforced(deps.database, batchMax);
  for (const anomaly of anomalies) await enforceAnomaly(deps, anomaly);
  return anomalies.length;
}

async function enforceAnomaly(deps: EnforceDeps, anomaly: StoredAnomaly): Promise<void> {
  const person = await findPerson(deps, anomaly.userId);
  if (person) await actOnAccount(deps, anomaly, person);
  const admins = await adminsToAlert(deps, anomaly.kind);
  await deps.database.transaction(serviceAct('admin'), async (tx) => {
    if (!(await markEnforced(tx, anomaly.id, admins.length > 0))) return;
    if (person && anomaly.score >= noticeScoreMin) await tell(tx, deps, person, 'unusual-activity', anomaly);
    for (const admin of admins) await tell(tx, deps, admin, 'anomaly-alert', anomaly);
  });
}

/** The account as auth has it, unless it is gone. */
async function findPerson({ auth }: EnforceDeps, userId: string): Promise<User | undefined> {
  if (userId === '') return undefined;
  const { users } = await auth.getUsers({ ids: [userId] }, { timeoutMs: callTimeoutMs });
  return users.find(({ status }) => status === UserStatus.ACTIVE || status === UserStatus.SUSPENDED);
}

async function actOnAccount({ auth }: EnforceDeps, anomaly: StoredAnomaly, person: User): Promise<void> {
  const options = { timeoutMs: callTimeoutMs };
  const userId = person.id;
  if (anomaly.action === 'observe' || person.status === UserStatus.SUSPENDED) return;
  if (anomaly.action === 'block') {
    const reason = `anomaly ${anomaly.kind} ${anomaly.id}`;
    try {
      await auth.setStatus({ userId, status: UserStatus.SUSPENDED, reason, actorId: '' }, options);
      return;
    } catch (error) {
      // Nobody could let the last administrator in again: his sessions end, and that is all.
      if (!isServiceError(error, 'LAST_ADMIN')) throw error;
    }
  }
  await auth.revokeUserSessions({ userId }, options);
}

/** None where they were told of the same kind within the hour: an attack must not become a flood of mail. */
async function adminsToAlert({ auth, database }: EnforceDeps, kind: AnomalyKindName): Promise<readonly User[]> {
  if (await isAlertedSince(database, kind, alertIntervalMs)) return [];
  const { users } = await auth.getUsers(
    { role: Role.ADMIN, status: UserStatus.ACTIVE, pageSize: alertedAdminsMax },
    { timeoutMs: callTimeoutMs },
  );
  return users;
}

async function tell(
  tx: Transaction,
  { noticeKey }: EnforceDeps,
  person: User,
  template: 'unusual-activity' | 'anomaly-alert',
  anomaly: StoredAnomaly,
): Promise<void> {
  if (person.email === '') return;
  await appendNotice(tx, noticeKey, {
    userId: person.id,
    template,
    email: person.email,
    values: {
      name: person.name,
      kind: anomaly.kind,
      anomaly: anomaly.id,
      what: whatPeopleRead[anomaly.kind],
      consequence: consequences[anomaly.action],
    },
    expireTime: new Date(Date.now() + noticeLifeMs),
  });
}
