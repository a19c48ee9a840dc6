const tokenPattern = /^rt1_([A-Za-z0-9_-]{70})$/;
const sessionIdBytes = 16;

/**
 * The bucket that a refresh counts against: the session named in the token, which is what the limit is by (S1.1a). Nobody
 * has checked the token yet, and nothing but the bucket depends on what it says.
 */
export function refreshBucketOf(refreshToken: string, clientAddress: string): string {
  const body = tokenPattern.exec(refreshToken)?.[1];
  if (body === undefined) return `unknown:${clientAddress}`;
  return `session:${Buffer.from(body, 'base64url').toString('hex', 0, sessionIdBytes)}`;
}
