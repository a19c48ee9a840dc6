import type { Queryable } from '@strongroom/platform/database';
import type { PagePosition } from '@strongroom/platform/paging';
import type { Posting } from './ledger.ts';

/**
 * Writes a balanced transaction for each row of `source`, another CTE of the statement, and the accounts that are not
 * there yet. An account's id follows from whose it is and its currency, so nobody has to look for it, and who makes it at
 * the same time makes the same one. The database refuses a transaction that isn't balanced, and a second one for the same
 * cause. The columns of `source`: ledger_id and ledger_kind, null where nothing is posted, payment_id, refund_id,
 * currency_code, and postings, a JSON array of `postingToRow`.
 */
export function postingCtes(sql: Queryable['sql'], source: string) {
  return sql`
    ledger_transaction as (
      insert into ledger_transactions (id, payment_id, refund_id, kind)
      select ledger_id, payment_id, refund_id, ledger_kind from ${sql(source)} where ledger_kind is not null
    ),
    posting as materialized (
      select ledger_id, currency_code, p.*, ledger_account_id(account, user_id, currency_code) as account_id
      from ${sql(source)}, json_to_recordset(postings) as p (account text, user_id uuid, minor_units bigint)
    ),
    ledger_account as (
      insert into ledger_accounts (name, user_id, currency_code)
      -- One order for all, or two statements that make the same accounts could wait for each other. Those that are there
      -- are found by key whatever the plan.
      select distinct account, user_id, currency_code from posting order by account, user_id, currency_code
      on conflict do nothing
    ),
    ledger_entry as (
      insert into ledger_entries (id, transaction_id, account_id, currency_code, minor_units)
      select strongroom.uuidv7(), ledger_id, account_id, currency_code, minor_units from posting
    )`;
}

export function postingToRow({ account, userId, minorUnits }: Posting) {
  return { account, user_id: userId, minor_units: String(minorUnits) };
}

export interface BalanceRow {
  readonly userId: string | null;
  readonly account: string;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** One account a currency, and currencies are a closed list, so this is bounded. */
const balancesMax = 1_000;

/**
 * `offset 0` in what reads entries of a person: they are looked for by account, where a plan that expects few of them among
 * few people would read everyone's.
 */
export async function sumBalances(source: Queryable, userId: string): Promise<BalanceRow[]> {
  return [
    ...(await source.sql<BalanceRow[]>`
      select a.user_id as "userId", a.name as account, a.currency_code as "currencyCode", own.sum as "minorUnits"
      from ledger_accounts a, lateral (
        select coalesce(sum(minor_units), 0)::bigint as sum from ledger_entries where account_id = a.id offset 0
      ) as own
      where a.user_id = ${userId}
      order by a.currency_code limit ${balancesMax}`),
  ];
}

/** The system's own accounts. */
export async function sumSystemBalances(source: Queryable): Promise<BalanceRow[]> {
  return [
    ...(await source.sql<BalanceRow[]>`
      select a.user_id as "userId", a.name as account, a.currency_code as "currencyCode",
        coalesce(sum(e.minor_units), 0)::bigint as "minorUnits"
      from ledger_accounts a left join ledger_entries e on e.account_id = a.id
      where a.user_id is null
      group by a.id order by a.name, a.currency_code limit ${balancesMax}`),
  ];
}

/** How far back an account's transactions are looked at with its balance. */
const transactionsMax = 1_000;

/** Whether the latest transactions of this person's accounts sum to zero for each currency, as the database demands. */
export async function areTransactionsBalanced(source: Queryable, userId: string): Promise<boolean> {
  const [row] = await source.sql<{ balanced: boolean }[]>`
    with latest as materialized (
      select distinct own.transaction_id
      from ledger_accounts a, lateral (
        select transaction_id from ledger_entries
        where account_id = a.id order by create_time desc, id desc limit ${transactionsMax}
      ) as own
      where a.user_id = ${userId}
    )
    select not exists (
      select 1 from latest, lateral (
        select currency_code, minor_units from ledger_entries where transaction_id = latest.transaction_id offset 0
      ) as e
      group by latest.transaction_id, e.currency_code having sum(e.minor_units) <> 0
    ) as balanced`;
  return row?.balanced === true;
}

/** The sum over all entries by currency: zero, or the ledger is broken. */
export async function sumLedger(source: Queryable): Promise<{ currencyCode: string; minorUnits: bigint }[]> {
  return [
    ...(await source.sql<{ currencyCode: string; minorUnits: bigint }[]>`
      select currency_code as "currencyCode", sum(minor_units)::bigint as "minorUnits"
      from ledger_entries group by currency_code order by currency_code`),
  ];
}

export interface EntryRow {
  readonly id: string;
  readonly transactionId: string;
  readonly paymentId: string;
  readonly refundId: string | null;
  readonly account: string;
  readonly userId: string | null;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
  readonly kind: string;
  readonly createTime: string;
}

export interface EntryFilter {
  /** Undefined: everyone's. */
  readonly userId: string | undefined;
  readonly paymentId: string | undefined;
  readonly after: PagePosition | undefined;
  readonly rowsMax: number;
}

/** Newest first. */
export async function listEntries(source: Queryable, filter: EntryFilter): Promise<EntryRow[]> {
  const { sql } = source;
  const [time, id] = filter.after ?? [];
  const ordered = sql`order by e.create_time desc, e.id desc limit ${filter.rowsMax}`;
  const beyond = time === undefined || id === undefined ? sql`` : sql`and (e.create_time, e.id) < (${time}, ${id})`;
  return [
    ...(await sql<EntryRow[]>`
      select e.id, e.transaction_id as "transactionId", t.payment_id as "paymentId", t.refund_id as "refundId",
        a.name as account, a.user_id as "userId", e.currency_code as "currencyCode", e.minor_units as "minorUnits",
        t.kind, e.create_time as "createTime"
      from (${entriesOf(sql, filter, sql`${beyond} ${ordered}`)}) as e
      join ledger_transactions t on t.id = e.transaction_id
      join ledger_accounts a on a.id = e.account_id
      ${ordered}`),
  ];
}

/** Of a payment there are few; of a person they come from each account as far as the page goes. */
function entriesOf(sql: Queryable['sql'], { userId, paymentId }: EntryFilter, page: ReturnType<Queryable['sql']>) {
  const ofUser = userId === undefined ? sql`` : sql`and a.user_id = ${userId}`;
  if (paymentId !== undefined) {
    return sql`
      select e.* from ledger_transactions t, lateral (
        select * from ledger_entries where transaction_id = t.id offset 0
      ) as e, ledger_accounts a
      where t.payment_id = ${paymentId} and a.id = e.account_id ${ofUser} ${page}`;
  }
  if (userId === undefined) return sql`select e.* from ledger_entries e where true ${page}`;
  return sql`
    select own.* from ledger_accounts a, lateral (
      select e.* from ledger_entries e where e.account_id = a.id ${page}
    ) as own
    where a.user_id = ${userId}`;
}
