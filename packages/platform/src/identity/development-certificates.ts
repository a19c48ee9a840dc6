/**
 * Own authority and one certificate a service, for development and tests. The X.509 library is loaded on first use only:
 * no process in production has it in memory.
 */
export async function writeDevelopmentCertificates(folder: string, names: readonly string[]): Promise<void> {
  const { issueDevelopmentCertificates } = await import('./development-authority.ts');
  await issueDevelopmentCertificates(folder, names);
}
