/** Runs `call` with `concurrency` callers for `durationMs`; answers calls a second and percentiles in milliseconds. */
export async function measureRate(
  call: () => Promise<unknown>,
  { concurrency, durationMs }: { readonly concurrency: number; readonly durationMs: number },
): Promise<{ perSecond: number; p50Ms: number; p99Ms: number }> {
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const latenciesMs: number[] = [];
  const caller = async () => {
    while (performance.now() < endMs) {
      const callStartMs = performance.now();
      await call();
      latenciesMs.push(performance.now() - callStartMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const elapsedS = (performance.now() - startMs) / 1000;
  latenciesMs.sort((a, b) => a - b);
  return {
    perSecond: latenciesMs.length / elapsedS,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  };
}

/** Of an ascending list; 0 for an empty one. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0;
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
