import { type AuthFixture, reasonOf } from './auth-fixture.ts';
import type { BreakOff } from './crash-cases.ts';

/** Breaks off by SIGKILL: a process of its own for each call. */
export function killAt(fixture: AuthFixture): BreakOff {
  return async (t, failpoint, call) => {
    const { process: victim, auth } = await fixture.spawn(`${failpoint}=kill`);
    const answer = reasonOf(call(auth));
    t.same(await victim.exited, { code: null, signal: 'SIGKILL' }, `killed at ${failpoint}`);
    t.not(await answer, 'answered');
  };
}
