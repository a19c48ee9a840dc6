import { commonErrors } from '../../errors/index.ts';
import { type Flags, isFlagName } from '../../flags/index.ts';
import type { CallInterceptor } from './interceptor.ts';

/** A method whose flag an administrator has switched off is refused (S5.3). A flag that doesn't exist stops the server. */
export function createFlagInterceptor(flags: Flags | undefined): CallInterceptor {
  return (method, { flag }) => {
    if (flag === '') return undefined;
    if (!isFlagName(flag)) throw new Error(`${method.name} names the flag ${flag}, which is none`);
    if (flags === undefined) return undefined;
    return () => {
      if (!flags.isEnabled(flag)) throw commonErrors.SWITCHED_OFF();
    };
  };
}
