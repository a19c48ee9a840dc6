// Public keys, so this browser may keep them: whoever checks often pins them once.
const storageKey = 'strongroom.trusted-log-keys';

export function readTrustedKeys(): string {
  return localStorage.getItem(storageKey) ?? '';
}

export function keepTrustedKeys(text: string): void {
  localStorage.setItem(storageKey, text);
}

export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
