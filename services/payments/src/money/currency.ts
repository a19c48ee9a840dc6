import { data } from 'currency-codes';

/** An ISO 4217 currency that people pay in. */
export interface Currency {
  readonly code: string;
  /** Number of digits of the minor unit: USD 2, JPY 0, KWD 3. */
  readonly exponent: number;
}

/** The codes with X that circulate as money; the others are metals, units of account, tests and "no currency". */
const circulatingUnionCodes = new Set(['XAF', 'XCD', 'XCG', 'XOF', 'XPF']);

/** ISO 4217 also lists units for funds, indexation and clearing, in which nobody can be paid. */
const fundCodes = new Set(['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'UYI', 'UYW']);

/** S2.3: complete, from the maintained list that the package carries. */
export const currencies: ReadonlyMap<string, Currency> = new Map(
  data
    .filter(({ code }) => !fundCodes.has(code) && (!code.startsWith('X') || circulatingUnionCodes.has(code)))
    .map(({ code, digits }) => [code, { code, exponent: digits }]),
);

export function findCurrency(code: string): Currency | undefined {
  return currencies.get(code);
}
