import type { Violation } from '@strongroom/platform/errors';
import { isPossiblePhoneNumber } from 'libphonenumber-js';

/** What a person tells about himself, as the domain knows it. Empty text means: not told. */
export interface ProfileFields {
  readonly phone: string;
  readonly address: string;
  readonly bio: string;
  readonly avatarUrl: string;
  readonly taxId: string;
  readonly dateOfBirth: string;
}

export type ProfileField = keyof ProfileFields;

export const emptyProfile: ProfileFields = {
  phone: '',
  address: '',
  bio: '',
  avatarUrl: '',
  taxId: '',
  dateOfBirth: '',
};

/** Paths of the field mask, by the names of the contract. */
const fieldOfPath: ReadonlyMap<string, ProfileField> = new Map([
  ['phone', 'phone'],
  ['address', 'address'],
  ['bio', 'bio'],
  ['avatar_url', 'avatarUrl'],
  ['tax_id', 'taxId'],
  ['date_of_birth', 'dateOfBirth'],
]);

const oldestBirthYear = 1900;
const maskedTailLength = 4;

/** The fields that a mask names; a path of another name is a violation. */
export function fieldsOfMask(paths: readonly string[]): { fields: ProfileField[]; violations: Violation[] } {
  const fields: ProfileField[] = [];
  const violations: Violation[] = [];
  for (const path of paths) {
    const field = fieldOfPath.get(path);
    if (field !== undefined) fields.push(field);
    else violations.push({ field: 'update_mask', rule: 'known_path', message: `${path} can not be changed.` });
  }
  return { fields, violations };
}

/** Rules that data decide, beyond what the contract can say (S2.4). `now` decides what has already been. */
export function violationsOf(fields: Partial<ProfileFields>, now: Date): Violation[] {
  const found: Violation[] = [];
  if (fields.phone && !isPossiblePhoneNumber(fields.phone)) {
    found.push({ field: 'profile.phone', rule: 'phone', message: 'No such number is possible in its country.' });
  }
  if (fields.avatarUrl && !isSafePictureUrl(fields.avatarUrl)) {
    found.push({ field: 'profile.avatar_url', rule: 'https_url', message: 'Must be an https address.' });
  }
  if (fields.dateOfBirth && !isPastDate(fields.dateOfBirth, now)) {
    found.push({ field: 'profile.date_of_birth', rule: 'past_date', message: 'Must be a real date in the past.' });
  }
  return found;
}

/** Only https and no credentials: a stored address is shown to others (older fault 49). */
export function isSafePictureUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.password === '' && url.hostname !== '';
}

export function isPastDate(text: string, now: Date): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) return false;
  return date < now && date.getUTCFullYear() >= oldestBirthYear;
}

/** Shows only the end of a number (ASVS 14.2.6). */
export function maskTail(text: string): string {
  if (text.length <= maskedTailLength) return '*'.repeat(text.length);
  return '*'.repeat(text.length - maskedTailLength) + text.slice(-maskedTailLength);
}
