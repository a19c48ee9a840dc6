import { errors } from '../errors.ts';
import { type Currency, findCurrency } from './currency.ts';

/** Always whole minor units. A floating-point number can't hold 0.1, so none is used for money anywhere (fault 26). */
export interface Money {
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** S2.3: 0.01 to 10,000,000.00 of the major unit. */
const majorUnitsMax = 10_000_000n;
const smallestMajorFractionDigits = 2;

/** The bounds of an amount in minor units; where a currency has no hundredths, its smallest unit is the floor. */
export function amountBounds({ exponent }: Currency): { readonly min: bigint; readonly max: bigint } {
  const min = exponent > smallestMajorFractionDigits ? 10n ** BigInt(exponent - smallestMajorFractionDigits) : 1n;
  return { min, max: majorUnitsMax * 10n ** BigInt(exponent) };
}

/** So many whole units of a currency. */
export function toMinorUnits(majorUnits: number, currencyCode: string): bigint {
  const exponent = findCurrency(currencyCode)?.exponent ?? 0;
  return BigInt(majorUnits) * 10n ** BigInt(exponent);
}

/** The amount of a payment, checked by the rules of its currency. */
export function requireAmount(amount: Money | undefined): Money {
  if (amount === undefined) {
    throw errors.AMOUNT_OUT_OF_RANGE({ violations: [{ field: 'amount', rule: 'required', message: 'is missing' }] });
  }
  const currency = findCurrency(amount.currencyCode);
  if (currency === undefined) {
    const message = 'is no currency that can be paid in';
    throw errors.CURRENCY_NOT_SUPPORTED({
      violations: [{ field: 'amount.currency_code', rule: 'amount.currency', message }],
    });
  }
  const { min, max } = amountBounds(currency);
  if (amount.minorUnits < min || amount.minorUnits > max) {
    throw errors.AMOUNT_OUT_OF_RANGE({
      metadata: { min: String(min), max: String(max) },
      violations: [
        { field: 'amount.minor_units', rule: 'amount.range', message: `of ${currency.code} is ${min} to ${max}` },
      ],
    });
  }
  return { currencyCode: currency.code, minorUnits: amount.minorUnits };
}

/** What is asked of a payment is in its currency. */
export function requireCurrency(amount: Money | undefined, currencyCode: string): void {
  if (amount === undefined || amount.currencyCode === currencyCode) return;
  const message = `is ${currencyCode} for this payment`;
  throw errors.CURRENCY_IMMUTABLE({
    violations: [{ field: 'amount.currency_code', rule: 'amount.currency', message }],
  });
}
