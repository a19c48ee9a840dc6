/** What an address can be told of, as the contract lists it. */
export const eventTypes = [
  'payment.created',
  'payment.updated',
  'payment.completed',
  'payment.failed',
  'payment.cancelled',
  'payment.refunded',
] as const;

export function eventTypesInWords(chosen: readonly string[]): string {
  return chosen.length === 0 ? 'Everything' : chosen.join(', ');
}
