import type { LedgerEntry } from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import { Link } from 'wouter';
import { formatMoney } from '../money/money.ts';
import { Time } from '../time/time.tsx';
import { Identifier } from '../ui/identifier.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { inWords } from '../ui/words.ts';

export function EntryTable({ entries }: { entries: readonly LedgerEntry[] }) {
  return (
    <Table
      caption="Postings, newest first"
      columns={columns}
      rows={entries}
      keyOf={({ id }) => id}
      empty="No postings to your accounts. The recipient’s account is credited once the provider has collected the payment."
    />
  );
}

const columns: Column<LedgerEntry>[] = [
  { title: 'When', cell: ({ createTime }) => <Time value={createTime} /> },
  { title: 'Account', cell: ({ account }) => inWords(account) },
  {
    title: 'Amount',
    isNumber: true,
    cell: ({ minorUnits, currencyCode }) => formatMoney(minorUnits, currencyCode),
  },
  { title: 'Kind', cell: ({ kind }) => inWords(kind) },
  {
    title: 'Payment',
    cell: ({ paymentId }) => (
      <Link href={`/payments/${paymentId}`}>
        <Identifier id={paymentId} />
      </Link>
    ),
  },
];
