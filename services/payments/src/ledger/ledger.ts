import type { Money } from '../money/money.ts';

export type AccountName = 'user' | 'psp_clearing';

/** One side of a posting. Positive: credit, what we owe the account. Negative: debit. */
export interface Posting {
  readonly account: AccountName;
  readonly userId: string | null;
  readonly minorUnits: bigint;
}

/** The provider has collected: what it owes us is what we owe the recipient. */
export function capturePostings(recipientId: string, { minorUnits }: Money): readonly [Posting, Posting] {
  return [
    { account: 'psp_clearing', userId: null, minorUnits: -minorUnits },
    { account: 'user', userId: recipientId, minorUnits },
  ];
}

/** The capture's mirror, for a part of it or all. */
export function refundPostings(recipientId: string, { minorUnits }: Money): readonly [Posting, Posting] {
  return [
    { account: 'user', userId: recipientId, minorUnits: -minorUnits },
    { account: 'psp_clearing', userId: null, minorUnits },
  ];
}
