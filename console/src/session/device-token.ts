// Makes this browser known to its owner's account, so that a lock made by a stranger's guesses doesn't keep the owner out.
// It opens nothing by itself, and must outlive the session to be of use.
const storageKey = 'strongroom.device-token';

export function readDeviceToken(): string | undefined {
  return localStorage.getItem(storageKey) ?? undefined;
}

export function keepDeviceToken(token: string): void {
  if (token !== '') localStorage.setItem(storageKey, token);
}
