/** The rules that the console offers, of the many of RFC 5545. */
export const recurrences = [
  ['FREQ=DAILY', 'Every day'],
  ['FREQ=WEEKLY', 'Every week'],
  ['FREQ=MONTHLY', 'Every month'],
  ['FREQ=YEARLY', 'Every year'],
] as const;

/** In words where it is one of these, else as it is. */
export function recurrenceInWords(rule: string): string {
  return recurrences.find(([known]) => known === rule)?.[1] ?? rule;
}
