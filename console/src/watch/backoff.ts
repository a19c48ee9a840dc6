const firstMs = 500;
const largestMs = 30_000;

/** Doubled after each failure, with jitter so that many consoles don't come back at once. */
export function backoffMs(failures: number): number {
  const fullMs = Math.min(largestMs, firstMs * 2 ** failures);
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}

export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
