// The invariants of faults.md that the payments database and the provider's journal can tell, for every test that breaks
// something: an empty list says that all of them hold.
import type { openSql } from '@strongroom/testkit';

type Sql = ReturnType<typeof openSql>;

export interface JournalReader {
  journal(reference?: string): readonly { readonly kind: string; readonly reference: string }[];
}

/** I1–I5, in words of what is broken, where no audit log runs; tests/chaos has the check for the whole system. */
export async function checkInvariants(sql: Sql, provider: JournalReader): Promise<string[]> {
  return [...(await checkMoney(sql, provider)), ...(await namesOf(sql, 'I5', brokenEvents))];
}

/** The part of it that holds wherever the events are by now. */
export async function checkMoney(sql: Sql, provider: JournalReader): Promise<string[]> {
  return [
    ...(await checkEffects(sql, provider)),
    ...(await namesOf(sql, 'I4', brokenMoney)),
    ...(await namesOf(sql, 'I4', brokenHistory)),
    ...(await namesOf(sql, 'I3', brokenKeys)),
  ];
}

/** I1: one effect a payment and refund, and never "failed" or "cancelled" here while it is paid there. */
async function checkEffects(sql: Sql, provider: JournalReader): Promise<string[]> {
  const found: string[] = [];
  const kinds = new Map<string, string[]>();
  for (const { kind, reference } of provider.journal()) kinds.set(reference, [...(kinds.get(reference) ?? []), kind]);
  const states = await sql<{ id: string; kind: string; status: string }[]>`
    select id::text, 'charge' as kind, status from payments
    union all select id::text, 'refund', status from refunds`;
  for (const { id, kind, status } of states) {
    const effects = kinds.get(id) ?? [];
    const made = effects.filter((each) => each === kind).length;
    if (made > 1) found.push(`I1: ${kind} ${id} has ${made} effects`);
    const isPaid = effects.includes(`${kind}-completed`);
    if (isPaid && (status === 'failed' || status === 'cancelled'))
      found.push(`I1: ${kind} ${id} is ${status} but paid`);
    const isDone = ['completed', 'partially_refunded', 'refunded'].includes(status);
    if (isDone && !isPaid) found.push(`I1: ${kind} ${id} is ${status} but not paid`);
  }
  return found;
}

async function namesOf(sql: Sql, invariant: string, query: string): Promise<string[]> {
  const rows = await sql.unsafe<{ what: string }[]>(query);
  return rows.map(({ what }) => `${invariant}: ${what}`);
}

const brokenMoney = `
  select 'transaction ' || transaction_id || ' in ' || currency_code || ' sums to ' || sum(minor_units) as what
    from ledger_entries group by transaction_id, currency_code having sum(minor_units) <> 0
  union all
  select 'payment ' || p.id || ' is ' || p.status || ' with ' || count(t.id) || ' captures'
    from payments p left join ledger_transactions t on t.payment_id = p.id and t.kind = 'capture'
    group by p.id having count(t.id) <> case when p.complete_time is null then 0 else 1 end
  union all
  select 'payment ' || p.id || ' gives back ' || sum(r.minor_units) || ' of ' || p.minor_units
    from payments p join refunds r on r.payment_id = p.id and r.status <> 'failed'
    group by p.id having sum(r.minor_units) > p.minor_units
  union all
  select 'payment ' || p.id || ' counts ' || p.refunded_minor_units || ' refunded, its refunds '
      || coalesce(sum(r.minor_units) filter (where r.status = 'completed'), 0)
    from payments p left join refunds r on r.payment_id = p.id
    group by p.id having p.refunded_minor_units <> coalesce(sum(r.minor_units) filter (where r.status = 'completed'), 0)
  union all
  select 'refund ' || r.id || ' is ' || r.status || ' with ' || count(t.id) || ' postings'
    from refunds r left join ledger_transactions t on t.refund_id = r.id
    group by r.id having count(t.id) <> case when r.status = 'completed' then 1 else 0 end`;

const brokenHistory = `
  select 'payment ' || p.id || ' at version ' || p.version || ' has ' || count(c.version) || ' changes' as what
    from payments p left join payment_changes c on c.payment_id = p.id
    group by p.id having count(c.version) <> p.version or min(c.version) <> 1 or max(c.version) <> p.version
  union all
  select 'payment ' || c.payment_id || ' goes from ' || c.from_status || ' to ' || c.to_status || ' at ' || c.version
    from payment_changes c join payment_changes b on b.payment_id = c.payment_id and b.version = c.version - 1
    where c.from_status is distinct from b.to_status
      or not is_payment_transition(c.from_status, c.to_status)
  union all
  select 'payment ' || p.id || ' is ' || p.status || ', its history says ' || c.to_status
    from payments p join payment_changes c on c.payment_id = p.id and c.version = p.version
    where c.to_status <> p.status`;

/**
 * By the event's field 4, resource_id, with 36 bytes. Rows leave the outbox only when the audit database has them; in these
 * tests none is running, so all are there.
 */
const brokenEvents = `
  with events as (
    select name, convert_from(substring(payload from position('\\x2224'::bytea in payload) + 2 for 36), 'UTF8') as id
    from strongroom.outbox where name like 'PAYMENT\\_%' and position('\\x2224'::bytea in payload) > 0
  ), expected as (
    select p.id::text, p.status, e.name, e.count from payments p cross join lateral (values
      ('PAYMENT_CREATED', 1),
      ('PAYMENT_COMPLETED', (p.complete_time is not null)::int),
      ('PAYMENT_FAILED', (p.status = 'failed')::int),
      ('PAYMENT_CANCELLED', (p.status = 'cancelled')::int),
      ('PAYMENT_REFUNDED',
        (select count(*)::int from refunds r where r.payment_id = p.id and r.status = 'completed'))) e (name, count)
  )
  select 'payment ' || x.id || ' is ' || x.status || ' with ' || count(e.id) || ' events ' || x.name as what
    from expected x left join events e on e.id = x.id and e.name = x.name
    group by x.id, x.status, x.name, x.count having count(e.id) <> x.count`;

const brokenKeys = `
  select 'key of ' || user_id || ' for ' || method || ' hangs past its lease' as what
    from idempotency_keys where lease_until < now() - interval '30 seconds'`;
