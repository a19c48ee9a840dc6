/** Whether a path can be decoded, strictly: what Fastify's router would fail on. */
export function isPercentEncoded(path: string): boolean {
  if (!path.includes('%')) return true;
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
