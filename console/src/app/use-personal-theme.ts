import { useEffect } from 'react';
import { usePreferences } from '../account/use-preferences.ts';
import { keepTheme } from './theme.ts';

/** What the person has chosen in any browser holds in this one as well. */
export function usePersonalTheme(): void {
  const { theme } = usePreferences();
  useEffect(() => {
    if (theme !== undefined) keepTheme(theme);
  }, [theme]);
}
