import { useSyncExternalStore } from 'react';

/** A step-up that somebody waits for; calls that need one at the same time wait for the same. */
export interface StepUpRequest {
  /** true once the person has proven presence, false if not willing. */
  settle(isDone: boolean): void;
}

let pending: StepUpRequest | undefined;
let answer: Promise<boolean> | undefined;
const listeners = new Set<() => void>();

export function askForStepUp(): Promise<boolean> {
  answer ??= new Promise<boolean>((resolve) => {
    change({
      settle(isDone) {
        answer = undefined;
        change(undefined);
        resolve(isDone);
      },
    });
  });
  return answer;
}

export function useStepUpRequest(): StepUpRequest | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => pending,
  );
}

function change(next: StepUpRequest | undefined): void {
  pending = next;
  for (const listener of listeners) listener();
}
