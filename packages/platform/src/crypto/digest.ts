import { createHmac, hash, randomFillSync, timingSafeEqual } from 'node:crypto';

/** By way of a string: a digest that comes as a Buffer has memory of its own, which makes collections slow. */
export function sha256(value: string | Uint8Array): Buffer {
  return Buffer.from(hash('sha256', value, 'binary'), 'binary');
}

export function hmacSha256(key: string | Uint8Array, value: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(value).digest();
}

/** Both sides are hashed first, so that neither content nor length shows in the time taken. */
export function equalConstantTime(a: string | Uint8Array, b: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}

/** Equality search over an encrypted column (S4.3): equal values give equal indexes, and only the key's holder can try. */
export function blindIndex(key: Uint8Array, value: string): Buffer {
  return hmacSha256(key, value);
}

const randomPoolBytes = 4096;
const uuidRandomBytes = 10;
const counterMax = 0xfff;
const pool = Buffer.alloc(randomPoolBytes);
let poolOffset = randomPoolBytes;
let lastMs = 0;
let counter = 0;

/**
 * RFC 9562 UUIDv7 with the 12-bit counter of its method 1: ids of one process rise strictly, also within a millisecond
 * and when the clock is set back (F14).
 */
export function uuidv7(nowMs: number = Date.now()): string {
  if (poolOffset + uuidRandomBytes > randomPoolBytes) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const random = pool.subarray(poolOffset, poolOffset + uuidRandomBytes);
  poolOffset += uuidRandomBytes;
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = random.readUInt16BE(0) & 0x7ff;
  } else {
    counter += 1;
    if (counter > counterMax) {
      lastMs += 1;
      counter = 0;
    }
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const variant = ((random.readUInt16BE(2) & 0x3fff) | 0x8000).toString(16);
  const sequence = (0x7000 | counter).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-${sequence}-${variant}-${random.toString('hex', 4, 10)}`;
}
