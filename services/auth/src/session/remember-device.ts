import { uuidv7 } from '@strongroom/platform/crypto';
import type { Transaction } from '@strongroom/platform/database';
import type { Deps } from '../deps.ts';
import { encodeDeviceToken } from '../lockout/known-device.ts';
import { insertKnownDevice, touchKnownDevice } from '../lockout/known-device-store.ts';
import type { UserRow } from '../user/user.ts';

/** Makes the device known, or keeps it so; answers the token that it shows next time. */
export async function rememberDevice(
  tx: Transaction,
  deps: Deps,
  user: UserRow,
  knownId: string | undefined,
): Promise<string> {
  const deviceId = knownId ?? uuidv7();
  if (knownId === undefined) await insertKnownDevice(tx, deviceId, user.id);
  else await touchKnownDevice(tx, deviceId);
  return encodeDeviceToken(deps.keyring, { deviceId, userId: user.id });
}
