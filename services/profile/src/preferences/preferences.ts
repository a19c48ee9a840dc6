import type { Violation } from '@strongroom/platform/errors';

/** Preferences as stored: only what was ever set. */
export interface PreferencesDocument {
  readonly theme?: string;
  readonly language?: string;
  readonly currency?: string;
  readonly timeZone?: string;
  readonly notifications?: { readonly email?: boolean; readonly push?: boolean; readonly sms?: boolean };
}

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** Rules that data decide: BCP 47 languages, ISO 4217 currencies, IANA time zones (S2.4, older fault 50). */
export function violationsOf(document: PreferencesDocument): Violation[] {
  const found: Violation[] = [];
  if (document.language !== undefined && !isLanguageTag(document.language)) {
    found.push({ field: 'preferences.language', rule: 'bcp47', message: 'Must be a BCP 47 language tag.' });
  }
  if (document.currency !== undefined && !currencies.has(document.currency)) {
    found.push({ field: 'preferences.currency', rule: 'iso4217', message: 'Must be an ISO 4217 currency.' });
  }
  if (document.timeZone !== undefined && !isTimeZone(document.timeZone)) {
    found.push({ field: 'preferences.time_zone', rule: 'iana', message: 'Must be an IANA time zone.' });
  }
  return found;
}

/** Deep: what isn't sent stays, also inside notifications. */
export function mergePreferences(stored: PreferencesDocument, change: PreferencesDocument): PreferencesDocument {
  const merged = { ...stored, ...withoutUndefined(change) };
  if (change.notifications === undefined) return merged;
  return { ...merged, notifications: { ...stored.notifications, ...withoutUndefined(change.notifications) } };
}

export function isLanguageTag(text: string): boolean {
  try {
    return (
      Intl.getCanonicalLocales(text).length === 1 && new Intl.DisplayNames('en', { type: 'language' }).of(text) !== text
    );
  } catch {
    return false; // RangeError: not well-formed.
  }
}

export function isTimeZone(text: string): boolean {
  // An offset such as +01:00 is taken by Intl and is no zone of the IANA database.
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<T>;
}
