import { hkdfSync } from 'node:crypto';
import type { Secret } from '../config/secret.ts';
import { keyBytes, OpenError, openBytes, readSealed, sealBytes } from './sealed-bytes.ts';

const hkdfSalt = 'strongroom/v1';

/** What a subkey is for. A key serves one purpose (NIST SP 800-57, 5.2), so each label gives another. */
export type KeyPurpose =
  | 'field'
  | 'blind-index'
  | 'notice'
  | 'config'
  | 'cursor'
  | 'signing-key'
  | 'password-pepper'
  | 'refresh-token'
  | 'device'
  | 'audit-subject'
  | 'webhook'
  | (string & {});

export interface Keyring {
  /** The key that seals. */
  readonly activeKeyId: string;
  readonly keyIds: readonly string[];
  /** The 32-byte subkey of a purpose: of the active master key, or of the one named. */
  subkey(purpose: KeyPurpose, keyId?: string): Buffer;
  seal(purpose: KeyPurpose, plaintext: string | Uint8Array, aad: string | Uint8Array): Buffer;
  /** Opens with whichever key of the ring sealed it. Throws OpenError. */
  open(purpose: KeyPurpose, sealed: Uint8Array, aad: string | Uint8Array): Buffer;
}

export interface MasterKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** The first key seals; all of them open, so that a rotation needs no downtime (F32). */
export function createKeyring(masterKeys: readonly [MasterKey, ...MasterKey[]]): Keyring {
  const byId = new Map<string, Uint8Array>();
  for (const { id, key } of masterKeys) {
    if (key.length !== keyBytes) throw new RangeError('A master key has 32 bytes.');
    if (byId.has(id)) throw new RangeError(`Key id ${id} is given twice.`);
    byId.set(id, key);
  }
  const active = masterKeys[0].id;
  const subkeys = new Map<string, Buffer>();

  function subkey(purpose: KeyPurpose, keyId: string = active): Buffer {
    const name = `${keyId}\n${purpose}`;
    const known = subkeys.get(name);
    if (known !== undefined) return known;
    const master = byId.get(keyId);
    if (master === undefined) throw new OpenError('key');
    const derived = Buffer.from(hkdfSync('sha256', master, hkdfSalt, purpose, keyBytes));
    subkeys.set(name, derived);
    return derived;
  }

  return {
    activeKeyId: active,
    keyIds: [...byId.keys()],
    subkey,
    seal: (purpose, plaintext, aad) => sealBytes(subkey(purpose), active, toBytes(plaintext), toBytes(aad)),
    open: (purpose, sealed, aad) => openBytes(subkey(purpose, readSealed(sealed).keyId), sealed, toBytes(aad)),
  };
}

/** Of ENCRYPTION_MASTER_KEY, ENCRYPTION_KEY_ID and ENCRYPTION_PREVIOUS_KEYS (`id:key,id:key`). */
export function keyringFromConfig(config: {
  readonly ENCRYPTION_MASTER_KEY: Secret;
  readonly ENCRYPTION_KEY_ID: string;
  readonly ENCRYPTION_PREVIOUS_KEYS?: Secret | undefined;
}): Keyring {
  const previous = (config.ENCRYPTION_PREVIOUS_KEYS?.reveal() ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry): MasterKey => {
      const colon = entry.indexOf(':');
      const key = parseMasterKey(entry.slice(colon + 1));
      if (colon < 1 || key === undefined) throw new RangeError('ENCRYPTION_PREVIOUS_KEYS: expected id:key,id:key.');
      return { id: entry.slice(0, colon), key };
    });
  const active = parseMasterKey(config.ENCRYPTION_MASTER_KEY.reveal());
  if (active === undefined) throw new RangeError('ENCRYPTION_MASTER_KEY: expected 64 hex or 44 base64 characters.');
  return createKeyring([{ id: config.ENCRYPTION_KEY_ID, key: active }, ...previous]);
}

/** 64 hex digits or 44 characters of base64; undefined for anything else. */
export function parseMasterKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64');
  return undefined;
}

function toBytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
}
