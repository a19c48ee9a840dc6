import { uuidv7 } from '@strongroom/platform/crypto';
import type { Queryable } from '@strongroom/platform/database';
import type { PagePosition } from '@strongroom/platform/paging';
import type { Posting } from './ledger.ts';

export interface LedgerTransaction {
  readonly kind: 'capture' | 'refund';
  readonly paymentId: string;
  readonly refundId: string | null;
  readonly currencyCode: string;
  readonly postings: readonly Posting[];
}

/** Writes one balanced transaction. The database refuses one that isn't, and a second one for the same cause. */
export async function postTransaction(tx: Queryable, transaction: LedgerTransaction): Promise<void> {
  const { kind, paymentId, refundId, currencyCode, postings } = transaction;
  const id = uuidv7();
  await tx.sql`
    insert into ledger_transactions (id, payment_id, refund_id, kind)
    values (${id}, ${paymentId}, ${refundId}, ${kind})`;
  const accounts: string[] = [];
  for (const posting of postings) accounts.push(await provideAccount(tx, posting, currencyCode));
  const entryIds = postings.map(() => uuidv7());
  const amounts = postings.map(({ minorUnits }) => String(minorUnits));
  await tx.sql`
    insert into ledger_entries (id, transaction_id, account_id, currency_code, minor_units)
    select entry_id, ${id}, account_id, ${currencyCode}, minor_units
    from unnest(${entryIds}::uuid[], ${accounts}::uuid[], ${amounts}::text[]::bigint[])
      as posting (entry_id, account_id, minor_units)`;
}

async function provideAccount(tx: Queryable, { account, userId }: Posting, currencyCode: string): Promise<string> {
  const find = () => tx.sql<{ id: string }[]>`
    select id from ledger_accounts
    where name = ${account} and currency_code = ${currencyCode} and user_id is not distinct from ${userId}::uuid`;
  const [known] = await find();
  if (known !== undefined) return known.id;
  const [made] = await tx.sql<{ id: string }[]>`
    insert into ledger_accounts (id, name, user_id, currency_code)
    values (${uuidv7()}, ${account}, ${userId}, ${currencyCode})
    on conflict do nothing returning id`;
  if (made !== undefined) return made.id;
  // Another transaction made it in the meantime and has committed, or the insert would still wait.
  const [other] = await find();
  if (other === undefined) throw new Error(`ledger account ${account} ${currencyCode} can't be made`);
  return other.id;
}

export interface BalanceRow {
  readonly userId: string | null;
  readonly account: string;
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** One account a currency, and currencies are a closed list, so this is bounded. */
const balancesMax = 1_000;

export async function sumBalances(source: Queryable, userId: string): Promise<BalanceRow[]> {
  return [
    ...(await source.sql<BalanceRow[]>`
      select a.user_id as "userId", a.name as account, a.currency_code as "currencyCode",
        coalesce(sum(e.minor_units), 0)::bigint as "minorUnits"
      from ledger_accounts a left join ledger_entries e on e.account_id = a.id
      where a.user_id = ${userId}
      group by a.id order by a.currency_code limit ${balancesMax}`),
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

/** Whether every transaction with an entry of this person sums to zero for each currency, as the database demands. */
export async function areTransactionsBalanced(source: Queryable, userId: string): Promise<boolean> {
  const [row] = await source.sql<{ balanced: boolean }[]>`
    select not exists (
      select 1 from ledger_entries where transaction_id in (
        select e.transaction_id from ledger_entries e join ledger_accounts a on a.id = e.account_id
        where a.user_id = ${userId})
      group by transaction_id, currency_code having sum(minor_units) <> 0
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
  return [
    ...(await sql<EntryRow[]>`
      select e.id, e.transaction_id as "transactionId", t.payment_id as "paymentId", t.refund_id as "refundId",
        a.name as account, a.user_id as "userId", e.currency_code as "currencyCode", e.minor_units as "minorUnits",
        t.kind, e.create_time as "createTime"
      from ledger_entries e
      join ledger_transactions t on t.id = e.transaction_id
      join ledger_accounts a on a.id = e.account_id
      where true
        ${filter.userId === undefined ? sql`` : sql`and a.user_id = ${filter.userId}`}
        ${filter.paymentId === undefined ? sql`` : sql`and t.payment_id = ${filter.paymentId}`}
        ${time === undefined || id === undefined ? sql`` : sql`and (e.create_time, e.id) < (${time}, ${id})`}
      order by e.create_time desc, e.id desc limit ${filter.rowsMax}`),
  ];
}
