import { data } from 'currency-codes';

// Amounts are whole numbers of the minor unit from end to end. How many digits that unit has, the server takes from the
// same list.
const exponents = new Map(data.map(({ code, digits }) => [code, digits]));
const usualExponent = 2;

/** In front of the list of currencies: what most people pay in. */
export const commonCurrencies = ['EUR', 'USD', 'GBP', 'CHF', 'JPY', 'SEK', 'PLN', 'KWD'] as const;
export const currencyCodes: readonly string[] = data
  .map(({ code }) => code)
  .filter((code) => !code.startsWith('X') && !(commonCurrencies as readonly string[]).includes(code));

export function formatMoney(minorUnits: bigint, currencyCode: string): string {
  const digits = exponents.get(currencyCode) ?? usualExponent;
  const format = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency: currencyCode,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // As text: a number of the language would round what is beyond 2^53.
  return format.format(decimalText(minorUnits, digits) as Intl.StringNumericLiteral);
}

/** 12.50 or 12,50 in minor units; undefined for what is no amount of the currency. */
export function parseMoney(text: string, currencyCode: string): bigint | undefined {
  const digits = exponents.get(currencyCode) ?? usualExponent;
  const [, whole, fraction = ''] = /^(\d{1,12})(?:[.,](\d{1,6}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > digits) return undefined;
  return BigInt(whole + fraction.padEnd(digits, '0'));
}

/** As a person would type it: 1050 of EUR is 10.50. */
export function decimalText(minorUnits: bigint, digits: number): string {
  const sign = minorUnits < 0n ? '-' : '';
  const all = (minorUnits < 0n ? -minorUnits : minorUnits).toString().padStart(digits + 1, '0');
  if (digits === 0) return sign + all;
  return `${sign}${all.slice(0, -digits)}.${all.slice(-digits)}`;
}

export function amountText(minorUnits: bigint, currencyCode: string): string {
  return decimalText(minorUnits, exponents.get(currencyCode) ?? usualExponent);
}
