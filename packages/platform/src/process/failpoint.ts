import { setTimeout as delay } from 'node:timers/promises';

/** What happens at a failpoint, and at which hit of it: 0 means at each. */
interface Fault {
  readonly act: 'kill' | 'throw' | 'delay';
  readonly delayMs: number;
  readonly atHit: number;
  hits: number;
}

const faultFormat = /^([a-z0-9.-]+)=(kill|throw|delay:(\d{1,6}))(?:@(\d{1,6}))?$/;

/** Thrown by a failpoint that is set to throw. */
export class FailpointError extends Error {
  override name = 'FailpointError';
}

let faults: Map<string, Fault> | undefined;

/**
 * A place where tests break the process: `name=kill`, `name=throw`, `name=delay:500`, each with `@3` for the third hit
 * alone, comma-separated in STRONGROOM_FAILPOINTS. Costs one look at an empty map when nothing is set.
 */
export function failpoint(name: string): Promise<void> | undefined {
  faults ??= readFaults(process.env);
  if (faults.size === 0) return undefined;
  const fault = faults.get(name);
  if (fault === undefined) return undefined;
  fault.hits += 1;
  if (fault.atHit !== 0 && fault.hits !== fault.atHit) return undefined;
  if (fault.act === 'kill') process.kill(process.pid, 'SIGKILL');
  if (fault.act === 'delay') return delay(fault.delayMs);
  // Also for kill: nothing after this line may run while the signal is on its way.
  return Promise.reject(new FailpointError(`Failpoint ${name} was hit.`));
}

/** Replaces what the environment says, for tests in the same process. */
export function setFailpoints(text: string): void {
  faults = parseFailpoints(text);
}

function readFaults(environment: Readonly<Record<string, string | undefined>>): Map<string, Fault> {
  const text = environment['STRONGROOM_FAILPOINTS'] ?? '';
  if (text === '') return new Map();
  const kind = environment['STRONGROOM_ENV'] ?? 'production';
  // Fail closed: somebody who can set variables must not be able to switch faults on in production.
  if (kind === 'production') throw new Error('STRONGROOM_FAILPOINTS is refused in production.');
  return parseFailpoints(text);
}

function parseFailpoints(text: string): Map<string, Fault> {
  const found = new Map<string, Fault>();
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const match = faultFormat.exec(part.trim());
    if (match === null)
      throw new Error('STRONGROOM_FAILPOINTS: expected name=kill|throw|delay:MS, with @N or without.');
    const [, name = '', act = '', delayMs = '0', atHit = '0'] = match;
    const kind = act.startsWith('delay') ? 'delay' : (act as 'kill' | 'throw');
    found.set(name, { act: kind, delayMs: Number(delayMs), atHit: Number(atHit), hits: 0 });
  }
  return found;
}
