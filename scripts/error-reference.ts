// `node scripts/error-reference.ts`: prints docs/ERRORS.md from the error catalogues. A test compares the two.
import '../gateway/src/errors.ts';
import '../services/admin/src/errors.ts';
import '../services/auth/src/errors.ts';
import '../services/payments/src/errors.ts';
import '../services/profile/src/errors.ts';
import { Code } from '@connectrpc/connect';
import { catalogueEntries } from '@strongroom/platform/errors';

const header = `# Errors

Every error that Strongroom answers, printed by \`scripts/error-reference.ts\` from the catalogues. Over REST an error is
problem+json (RFC 9457) with \`code\`, \`requestId\` and \`retry\`; over Connect and gRPC it carries google.rpc.ErrorInfo with
\`reason\` and \`domain\`. \`retry\` says what helps: \`never\`, \`now\` (the same again), \`after\` (the delay given) or \`new-key\` (a
new idempotency key).
`;

export function errorReference(): string {
  const entries = [...catalogueEntries()];
  const domains = [...new Set(entries.map(({ domain }) => domain))].sort();
  const sections = domains.map((domain) => {
    const rows = entries
      .filter((entry) => entry.domain === domain)
      .sort((a, b) => (a.reason < b.reason ? -1 : 1))
      .map(
        ({ reason, status, code, retry, message }) =>
          `| ${reason} | ${status} | ${Code[code] ?? code} | ${retry} | ${message.replaceAll('|', '\\|')} |`,
      );
    return [
      `## ${domain}`,
      '',
      '| code | HTTP | Connect | retry | meaning |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return `${header}\n${sections.join('\n\n')}\n`;
}

if (import.meta.main) process.stdout.write(errorReference());
