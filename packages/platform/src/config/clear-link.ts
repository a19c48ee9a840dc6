/** Protocols that carry everything in clear, and what production takes in their place. */
const secureProtocols: Readonly<Record<string, string>> = {
  'http:': 'https:',
  'redis:': 'rediss:',
  'nats:': 'tls:',
};

const postgresProtocol = /^postgres(ql)?:$/;

/** Whether a database is reached by TLS; its certificate is verified whatever the mode is called. */
export function isSecurePostgres(url: string): boolean {
  const mode = new URL(url).searchParams.get('sslmode');
  return mode !== null && mode !== 'disable';
}

/** The rule that a URL breaks in production because its link would not be encrypted (ASVS V12.3.1, V12.3.3), or undefined. */
export function clearLinkOf(value: string): string | undefined {
  const { protocol } = new URL(value);
  const secure = secureProtocols[protocol];
  if (secure !== undefined) return `must begin with ${secure}// in production: nothing leaves in clear`;
  if (postgresProtocol.test(protocol) && !isSecurePostgres(value)) {
    return 'must say sslmode=verify-full in production: nothing leaves in clear';
  }
  return undefined;
}
