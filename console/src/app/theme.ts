/** As the system has it, or as the person wants it; kept in this browser so that the first paint is right. */
export type Theme = 'system' | 'light' | 'dark';

const storageKey = 'strongroom.theme';

export function applyStoredTheme(): void {
  setThemeAttribute(localStorage.getItem(storageKey));
}

export function keepTheme(theme: string): void {
  localStorage.setItem(storageKey, theme);
  setThemeAttribute(theme);
}

function setThemeAttribute(theme: string | null): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
}
