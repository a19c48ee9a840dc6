import pc from 'picocolors';
import type { RunningSystem } from '../system/start-system.ts';
import { createState, type JourneyState, steps } from './steps.ts';

/** Walks one payment through the system (contract.md), with a tick and a time for each step. Stops at the first failure. */
export async function runJourney(
  system: Pick<RunningSystem, 'gatewayUrl' | 'dataDir'>,
  print: (line: string) => void = console.log,
): Promise<boolean> {
  const state: JourneyState = createState(system);
  for (const { title, run } of steps) {
    const startMs = performance.now();
    const time = () => pc.dim(`${Math.round(performance.now() - startMs)} ms`.padStart(8));
    try {
      const note = await run(state);
      print(`${pc.green('✓')} ${time()}  ${title}${note ? pc.dim(`  ${note}`) : ''}`);
    } catch (error) {
      print(`${pc.red('✗')} ${time()}  ${title}\n    ${(error as Error).message}`);
      return false;
    }
  }
  return true;
}
