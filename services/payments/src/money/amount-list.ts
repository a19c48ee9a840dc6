import { findCurrency } from './currency.ts';

// Amounts by currency as a variable lists them, in whole minor units: JPY=1500000.

/** The amount that the list gives for a currency. */
export function findListedAmount(items: readonly string[], currencyCode: string): bigint | undefined {
  const item = items.find((each) => each.startsWith(`${currencyCode}=`));
  return item === undefined ? undefined : BigInt(item.slice(currencyCode.length + 1));
}

/** What is wrong with a list, a half-sentence a fault. */
export function amountListFaults(items: readonly string[]): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    const [code = '', amount = '', ...rest] = item.split('=');
    if (findCurrency(code) === undefined) faults.push(`has ${item}, which begins with no currency that can be paid in`);
    else if (rest.length > 0 || !/^\d{1,15}$/.test(amount))
      faults.push(`has ${item}: an amount is whole minor units, like ${code}=1500000`);
    else if (seen.has(code)) faults.push(`has ${code} twice`);
    seen.add(code);
  }
  return faults;
}
