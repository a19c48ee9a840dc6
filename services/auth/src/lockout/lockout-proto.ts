import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { LockoutSchema } from '@strongroom/gen/strongroom/auth/v1/lockout_pb.ts';
import type { LockoutState } from './lockout.ts';

export function lockoutToProto(email: string, state: LockoutState): MessageInitShape<typeof LockoutSchema> {
  const time = (ms: number | undefined) => (ms === undefined ? undefined : timestampFromMs(Math.floor(ms)));
  return {
    email,
    locked: state.unlockTimeMs !== undefined,
    failedAttempts: state.attemptTimesMs.length,
    lockTime: time(state.lockTimeMs),
    unlockTime: time(state.unlockTimeMs),
    ipAddresses: [...state.ipAddresses],
  };
}
