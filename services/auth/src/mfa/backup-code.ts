import { randomBytes } from 'node:crypto';
import { hmacSha256, type Keyring } from '@strongroom/platform/crypto';

/** S7.1: ten, each used once. */
const backupCodeCount = 10;
const codeBytes = 15; // 120 bits: above the 112 from which a fast hash will do (ASVS V6.5.2)
/** Crockford's base32: no letter that is taken for a digit. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const groupLength = 6;

export function generateBackupCodes(): string[] {
  return Array.from({ length: backupCodeCount }, () => {
    const text = encodeCode(randomBytes(codeBytes));
    return (text.match(new RegExp(`.{${groupLength}}`, 'g')) ?? []).join('-');
  });
}

/** People type codes as they like; the hash is over what was meant. */
export function backupCodeHash(key: Uint8Array, userId: string, code: string): Buffer {
  const plain = code
    .toLowerCase()
    .replace(/[^0-9a-z]/g, '')
    .replaceAll('o', '0')
    .replace(/[il]/g, '1');
  return hmacSha256(key, `${userId}\n${plain}`);
}

/** One hash for each key of the ring, so that codes outlive a rotation of the master key. */
export function backupCodeHashes(keyring: Keyring, userId: string, code: string): Buffer[] {
  return keyring.keyIds.map((keyId) => backupCodeHash(keyring.subkey('backup-code', keyId), userId, code));
}

function encodeCode(bytes: Uint8Array): string {
  let value = 0;
  let bits = 0;
  let text = '';
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
      value &= (1 << bits) - 1;
    }
  }
  return text;
}
