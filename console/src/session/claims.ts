/** What the console reads out of an access token, to show the right pages. The server decides by itself. */
export interface Claims {
  readonly userId: string;
  readonly sessionId: string;
  readonly role: string;
  /** Nothing but a new password, or a first second factor, is let through. */
  readonly isRestricted: boolean;
}

export function readClaims(accessToken: string): Claims {
  const payload = accessToken.split('.')[1] ?? '';
  const json = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
  const claims = JSON.parse(json) as Record<string, unknown>;
  return {
    userId: String(claims['sub'] ?? ''),
    sessionId: String(claims['sid'] ?? ''),
    role: String(claims['role'] ?? ''),
    isRestricted: claims['pcr'] === true,
  };
}
