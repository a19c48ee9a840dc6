import { timingSafeEqual } from 'node:crypto';
import { hmacSha256, type Keyring } from '@strongroom/platform/crypto';

/** B-lockout: a token that makes a device known to the owner. It signs nobody in; it only has a counter of its own. */
export interface DeviceClaims {
  readonly deviceId: string;
  readonly userId: string;
}

const prefix = 'dt1_';
const idBytes = 16;
const macBytes = 32;
const pattern = /^dt1_[A-Za-z0-9_-]{86}$/; // 64 bytes

export function encodeDeviceToken(keyring: Keyring, claims: DeviceClaims): string {
  const body = Buffer.from((claims.deviceId + claims.userId).replaceAll('-', ''), 'hex');
  return prefix + Buffer.concat([body, macOf(keyring, keyring.activeKeyId, body)]).toString('base64url');
}

/** The claims of a token that a key of the ring made; undefined for anything else. */
export function readDeviceToken(keyring: Keyring, token: string | undefined): DeviceClaims | undefined {
  if (token === undefined || !pattern.test(token)) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
  const body = bytes.subarray(0, 2 * idBytes);
  const mac = bytes.subarray(2 * idBytes, 2 * idBytes + macBytes);
  const isOurs = keyring.keyIds.some((keyId) => timingSafeEqual(mac, macOf(keyring, keyId, body)));
  if (!isOurs) return undefined;
  return { deviceId: uuidOf(body.subarray(0, idBytes)), userId: uuidOf(body.subarray(idBytes)) };
}

function macOf(keyring: Keyring, keyId: string, body: Uint8Array): Buffer {
  return hmacSha256(keyring.subkey('device', keyId), body);
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
