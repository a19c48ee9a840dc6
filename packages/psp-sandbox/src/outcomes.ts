/** What can happen to a charge or refund. The names are also the modes of the control endpoint. */
export const outcomes = [
  'ok',
  'decline',
  'timeout',
  'slow',
  'error-after-effect',
  'double-webhook',
  'out-of-order',
  'decline-now',
  'complete-now',
  'fail',
  'lost-webhook',
  'timeout-before-effect',
  'error-before-effect',
  'contradict',
] as const;

export type Outcome = (typeof outcomes)[number];

export function isOutcome(value: unknown): value is Outcome {
  return outcomes.some((outcome) => outcome === value);
}

/** Last four digits of an amount that decide; 99xx, because people rarely type such amounts by chance. */
const amountOutcomes: Readonly<Record<number, Outcome>> = {
  9901: 'decline',
  9902: 'timeout',
  9903: 'slow',
  9904: 'error-after-effect',
  9905: 'double-webhook',
  9906: 'out-of-order',
  9907: 'decline-now',
  9908: 'complete-now',
  9909: 'fail',
  9910: 'lost-webhook',
  9912: 'timeout-before-effect',
  9914: 'error-before-effect',
  9916: 'contradict',
};

const cardOutcomes: Readonly<Record<string, Outcome>> = {
  '4000000000000002': 'decline',
  '4000000000000101': 'timeout',
  '4000000000000119': 'slow',
  '4000000000000127': 'error-after-effect',
  '4000000000009995': 'decline-now',
};

export function outcomeOfCard(number: string): Outcome {
  return cardOutcomes[number] ?? 'ok';
}

/** The mode of the control endpoint comes first, then the card, then the amount. */
export function decideOutcome(mode: Outcome, card: Outcome | undefined, amount: number): Outcome {
  if (mode !== 'ok') return mode;
  if (card !== undefined && card !== 'ok') return card;
  return amountOutcomes[amount % 10_000] ?? 'ok';
}
