/** What an erasure does, in this order. Auth first: it may refuse (the last administrator), and then nothing was done. */
export const erasureSteps = ['auth', 'payments', 'profile', 'audit'] as const;
export type ErasureStep = (typeof erasureSteps)[number];

/** The steps that are left. Each is idempotent, so one that was cut off is simply done again. */
export function stepsLeft(done: readonly string[]): ErasureStep[] {
  return erasureSteps.filter((step) => !done.includes(step));
}
