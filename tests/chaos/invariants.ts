// The invariants I1–I9 of a whole system, for every test that breaks something: an empty list says that all hold.
//
//   I1 a key makes one payment and one effect at the provider     I6 nothing revoked is accepted
//   I2 what was acknowledged can be read as acknowledged          I7 no 5xx but 503 and 504, and none after the end
//   I3 what was not is wholly there or not at all                 I8 handles, connections and memory are as before
//   I4 states follow the graph, versions and ledger add up        I9 no secret and no personal data in a log
//   I5 each event is in the audit log once, and the log verifies
import type { openSql } from '@strongroom/testkit';
import type { DatabaseName } from '../../scripts/support/names.ts';
import { checkMoney, type JournalReader } from '../../services/payments/test/invariants.ts';
import { type ClientHistory, checkKeys, checkPayments, checkRevocations, checkStatuses } from './client-history.ts';

type Sql = ReturnType<typeof openSql>;

/** What one process holds at a moment. */
export interface Resources {
  readonly handles: number;
  readonly residentBytes: number;
  /** To PostgreSQL. */
  readonly connections: number;
}

export interface Evidence {
  /** As the superuser. */
  readonly databases: Readonly<Record<DatabaseName, Sql>>;
  readonly provider: JournalReader;
  readonly history: ClientHistory;
  /** By process, before the first fault and now. */
  readonly resources: { readonly before: ReadonlyMap<string, Resources>; readonly now: ReadonlyMap<string, Resources> };
  /** Lines of every process. */
  readonly logLines: Iterable<string>;
  /** Secrets and personal data that the run used. */
  readonly canaries: readonly string[];
  /** What the offline verifier found wrong with the audit log; undefined when it verifies. */
  readonly logFault: string | undefined;
}

/** In words of what is broken. For a system that has settled: nothing under way at the provider, outboxes empty. */
export async function checkInvariants(evidence: Evidence): Promise<string[]> {
  const { databases, history } = evidence;
  return [
    ...checkKeys(history),
    ...(await checkPayments(databases.payments, history)),
    ...(await checkMoney(databases.payments, evidence.provider)),
    ...(await checkAudit(databases)),
    ...(evidence.logFault === undefined ? [] : [`I5: the audit log does not verify: ${evidence.logFault}`]),
    ...checkRevocations(history),
    ...checkStatuses(history),
    ...checkResources(evidence.resources),
    ...checkLogs(evidence),
  ];
}

const eventOfStatus = {
  completed: 'PAYMENT_COMPLETED',
  partially_refunded: 'PAYMENT_COMPLETED',
  refunded: 'PAYMENT_COMPLETED',
  failed: 'PAYMENT_FAILED',
  cancelled: 'PAYMENT_CANCELLED',
} as const;

/** I5: outboxes are empty, and the log holds each event once, without a gap and without one that nothing stands behind. */
async function checkAudit(databases: Evidence['databases']): Promise<string[]> {
  const found: string[] = [];
  for (const name of ['auth', 'payments', 'profile', 'admin'] as const) {
    const [row] = await databases[name]`select count(*)::int as count from strongroom.outbox where kind = 'event'`;
    if (row?.['count'] !== 0) found.push(`I5: the outbox of ${name} still holds ${row?.['count']} events`);
  }
  const [log] = await databases.audit`select count(*)::int as count, count(distinct event_id)::int as events,
    coalesce(max(sequence) + 1, 0)::int as next, (select count(*)::int from log_leaf) as leaves from audit_record`;
  if (log?.['count'] !== log?.['events']) found.push('I5: an event stands in the audit log twice');
  if (log?.['count'] !== log?.['next']) found.push('I5: the sequence of the audit log has a gap');
  if (log?.['leaves'] !== log?.['next']) found.push('I5: the leaves of the audit log are not its records');
  found.push(...(await comparePayments(databases)));
  return found;
}

async function comparePayments({ payments, audit }: Evidence['databases']): Promise<string[]> {
  const events = await audit<{ id: string; action: string; count: number }[]>`
    select resource_id as id, action, count(*)::int as count from audit_record
    where action in ('PAYMENT_CREATED', 'PAYMENT_COMPLETED', 'PAYMENT_FAILED', 'PAYMENT_CANCELLED')
    group by resource_id, action`;
  const told = new Map(events.map(({ id, action, count }) => [`${action} of ${id}`, count]));
  const expected = new Set<string>();
  for (const { id, status } of await payments<
    { id: string; status: string }[]
  >`select id::text, status from payments`) {
    expected.add(`PAYMENT_CREATED of ${id}`);
    const final = eventOfStatus[status as keyof typeof eventOfStatus];
    if (final !== undefined) expected.add(`${final} of ${id}`);
  }
  return [...new Set([...expected, ...told.keys()])]
    .filter((event) => (told.get(event) ?? 0) !== (expected.has(event) ? 1 : 0))
    .map((event) => `I5: ${event} is ${told.get(event) ?? 0} times in the audit log`);
}

/** A tenth more than before (faults.md), and what a process takes by itself when it has just begun. */
const growth = 1.1;
const handlesSpare = 10;
const connectionsSpare = 2;
const residentBytesSpare = 48 * 1024 * 1024;

/** I8. A process that was killed and started again is held to what the one before it had. */
export function checkResources({ before, now }: Evidence['resources']): string[] {
  const found: string[] = [];
  for (const [name, then] of before) {
    const current = now.get(name);
    if (current === undefined) {
      found.push(`I8: ${name} does not run any more`);
      continue;
    }
    const bounds = [
      ['handles', handlesSpare],
      ['connections', connectionsSpare],
      ['residentBytes', residentBytesSpare],
    ] as const;
    for (const [kind, spare] of bounds) {
      if (current[kind] > then[kind] * growth + spare)
        found.push(`I8: ${name} has ${current[kind]} ${kind}, and had ${then[kind]}`);
    }
  }
  return found;
}

const shownCharacters = 160;

/** I9. Says where, not what: the report is a log itself. */
function checkLogs({ logLines, canaries }: Evidence): string[] {
  const found: string[] = [];
  for (const line of logLines) {
    const index = canaries.findIndex((canary) => line.includes(canary));
    const canary = canaries[index];
    if (canary !== undefined)
      found.push(`I9: canary ${index} in a log: ${line.replaceAll(canary, '…').slice(0, shownCharacters)}`);
  }
  return found;
}
