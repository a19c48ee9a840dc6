/**
 * Stripe's minor units differ from ISO 4217's for some currencies (docs.stripe.com/currencies): ISK and UGX are sent as
 * if they had two digits, MGA as if it had none, and three-digit currencies in tens.
 */
const factors: ReadonlyMap<string, { readonly multiply: bigint; readonly divide: bigint }> = new Map([
  ['ISK', { multiply: 100n, divide: 1n }],
  ['UGX', { multiply: 100n, divide: 1n }],
  ['MGA', { multiply: 1n, divide: 100n }],
]);
const threeDigitCurrencies = new Set(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']);
const threeDigitStep = 10n;

/** The integer that Stripe is sent; undefined for an amount that it can't take. */
export function amountToStripe(currencyCode: string, minorUnits: bigint): number | undefined {
  if (threeDigitCurrencies.has(currencyCode) && minorUnits % threeDigitStep !== 0n) return undefined;
  const { multiply, divide } = factors.get(currencyCode) ?? { multiply: 1n, divide: 1n };
  if (minorUnits % divide !== 0n) return undefined;
  // The SDK's type. The largest amount of any currency, 10^12, is far below 2^53.
  return Number((minorUnits * multiply) / divide);
}

/** Our minor units of what Stripe says; undefined where they would not be whole. */
export function stripeToAmount(currencyCode: string, amount: number): bigint | undefined {
  if (!Number.isSafeInteger(amount)) return undefined;
  const { multiply, divide } = factors.get(currencyCode) ?? { multiply: 1n, divide: 1n };
  const scaled = BigInt(amount) * divide;
  return scaled % multiply === 0n ? scaled / multiply : undefined;
}
