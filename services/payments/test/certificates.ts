import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadServiceIdentity, type ServiceIdentity, writeDevelopmentCertificates } from '@strongroom/platform/identity';

export interface TestCertificates {
  /** The variables that name a service's files. */
  variables(name: string): { TLS_CA_FILE: string; TLS_CERT_FILE: string; TLS_KEY_FILE: string };
  identity(name: string): Promise<ServiceIdentity>;
  close(): Promise<void>;
}

/** Certificates of a test's own, from the code that development uses. */
export async function createTestCertificates(names: readonly string[]): Promise<TestCertificates> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-payments-'));
  await writeDevelopmentCertificates(folder, names);
  const identities: ServiceIdentity[] = [];
  const variables = (name: string) => ({
    TLS_CA_FILE: join(folder, 'ca.pem'),
    TLS_CERT_FILE: join(folder, `${name}.pem`),
    TLS_KEY_FILE: join(folder, `${name}.key.pem`),
  });
  return {
    variables,
    async identity(name) {
      const identity = await loadServiceIdentity(variables(name));
      identities.push(identity);
      return identity;
    },
    async close() {
      for (const identity of identities) identity.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
