import { type KeyObject, sign } from 'node:crypto';
import { TlogError } from './errors.ts';
import {
  createEd25519Check,
  createVerifierKey,
  type NoteSigner,
  type NoteVerifier,
  rawPublicKey,
  requireType,
  SIGNATURE_TYPE_COSIGNATURE,
  type VerifierKey,
} from './note.ts';

const TIMESTAMP_BYTES = 8;

/**
 * What a witness signs (C2SP tlog-cosignature, "Ed25519 signed message"): the header line keeps cosignatures apart from
 * every other use of the key, the time line says when.
 */
export function cosignatureMessage(checkpointText: string, timestampSeconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timestampSeconds}\n${checkpointText}`, 'utf8');
}

/** Checks cosignature/v1: a big-endian uint64 of POSIX seconds, then 64 bytes of Ed25519. */
export function createCosignatureVerifier(key: VerifierKey): NoteVerifier {
  requireType(key, SIGNATURE_TYPE_COSIGNATURE);
  const isValid = createEd25519Check(key.publicKey);
  return {
    key,
    isValid(text, signature) {
      const timestamp = cosignatureTimestamp(signature);
      if (timestamp === undefined) return false;
      return isValid(cosignatureMessage(text, timestamp), signature.subarray(TIMESTAMP_BYTES));
    },
  };
}

/** POSIX seconds of a cosignature; undefined where there are none (0 says nothing of time: tlog-witness refuses it). */
export function cosignatureTimestamp(signature: Uint8Array): number | undefined {
  if (signature.length <= TIMESTAMP_BYTES) return undefined;
  const seconds = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  return seconds > 0n && seconds <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seconds) : undefined;
}

/** Cosigns with the time `nowSeconds` gives (POSIX seconds) at each signature. */
export function createCosigner(name: string, privateKey: KeyObject, nowSeconds: () => number): NoteSigner {
  const key = createVerifierKey(name, SIGNATURE_TYPE_COSIGNATURE, rawPublicKey(privateKey));
  return {
    key,
    sign(text) {
      const timestamp = nowSeconds();
      if (!Number.isSafeInteger(timestamp) || timestamp <= 0) {
        throw new TlogError('OUT_OF_RANGE', `not a time in whole seconds: ${timestamp}`);
      }
      const bytes = Buffer.alloc(TIMESTAMP_BYTES);
      bytes.writeBigUInt64BE(BigInt(timestamp));
      return Buffer.concat([bytes, sign(null, cosignatureMessage(text, timestamp), privateKey)]);
    },
  };
}
