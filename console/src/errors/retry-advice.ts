import type { ServiceError } from './service-error.ts';

const millisecondsPerSecond = 1000;
const secondsPerMinute = 60;

/** What the catalogue advises, in words. */
export function retryAdvice({ retry, retryAfterMs }: Pick<ServiceError, 'retry' | 'retryAfterMs'>): string {
  if (retryAfterMs !== undefined) return `Try again in ${durationInWords(retryAfterMs)}.`;
  if (retry === 'now') return 'It is safe to try again now.';
  if (retry === 'after') return 'Try again in a while.';
  if (retry === 'new-key') return 'Send it as a new request.';
  if (retry === 'never') return 'Trying again without a change will not help.';
  if (retry === 'reconnect') return 'Check the connection and try again.';
  return 'Try again, or ask whoever runs this system.';
}

function durationInWords(durationMs: number): string {
  const seconds = Math.max(1, Math.ceil(durationMs / millisecondsPerSecond));
  if (seconds < 2 * secondsPerMinute) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / secondsPerMinute)} minutes`;
}
