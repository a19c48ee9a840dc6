import { createContext, type ReactNode, useContext } from 'react';
import { usePreferences } from '../account/use-preferences.ts';
import { browserZone, isKnownZone } from './zone.ts';

const TimeZone = createContext(browserZone);

/** Times are shown, and taken from forms, in the zone that the person has chosen; until then in the browser's. */
export function PersonalTimeZone({ children }: { children: ReactNode }) {
  const { timeZone = browserZone } = usePreferences();
  return <TimeZone value={isKnownZone(timeZone) ? timeZone : browserZone}>{children}</TimeZone>;
}

export function useTimeZone(): string {
  return useContext(TimeZone);
}
