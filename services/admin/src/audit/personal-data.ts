import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { canonicalJson } from '@strongroom/tlog';

const sealVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes;

/** Which part of a record is sealed: who acted (address, user agent), or facts about the subject. */
export type SealedPart = 'actor' | 'subject';

/** Personal data of someone nobody could name. They belong to no person, so no erasure reaches them; retention does. */
export const nobodyId = '00000000-0000-0000-0000-000000000000';

interface Persons {
  readonly actorId: string;
  readonly subjectId: string;
}

/** Whose key seals a part: an anonymous caller's address is kept with the person whom the act was about. */
export function keyOwnerOf(part: SealedPart, { actorId, subjectId }: Persons): string {
  const [first, second] = part === 'actor' ? [actorId, subjectId] : [subjectId, actorId];
  return first || second || nobodyId;
}

/**
 * Seals facts with AES-256-GCM: version, nonce, ciphertext, tag. Event and part are authenticated with them, so a
 * ciphertext moved to another record doesn't open (F31). NIST SP 800-38D section 8.3 bounds random nonces to 2^32 a key:
 * no person acts that often.
 */
export function sealPersonalData(
  key: Uint8Array,
  eventId: string,
  part: SealedPart,
  facts: Readonly<Record<string, string>>,
): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associatedData(eventId, part));
  const sealed = Buffer.concat([cipher.update(canonicalJson({ ...facts }), 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(sealVersion), nonce, sealed, cipher.getAuthTag()]);
}

/** Throws where the ciphertext is not what was sealed. */
export function openPersonalData(
  key: Uint8Array,
  eventId: string,
  part: SealedPart,
  sealed: Uint8Array,
): Record<string, string> {
  if (sealed[0] !== sealVersion || sealed.length < headBytes + tagBytes) {
    throw new Error('The sealed personal data are of no known form.');
  }
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, headBytes), { authTagLength: tagBytes });
  decipher.setAAD(associatedData(eventId, part));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const clear = Buffer.concat([
    decipher.update(sealed.subarray(headBytes, sealed.length - tagBytes)),
    decipher.final(),
  ]);
  return JSON.parse(clear.toString('utf8'));
}

function associatedData(eventId: string, part: SealedPart): Buffer {
  return Buffer.from(`strongroom-audit-personal/v1\n${eventId}\n${part}`, 'utf8');
}
