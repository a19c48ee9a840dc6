import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { serviceNameOf } from './spiffe.ts';

export interface IdentityConfig {
  readonly TLS_CA_FILE?: string | undefined;
  readonly TLS_CERT_FILE?: string | undefined;
  readonly TLS_KEY_FILE?: string | undefined;
  readonly TLS_CRL_FILE?: string | undefined;
}

/** Certificate, key and authority of a service, and what the authority has revoked, as PEM. */
export interface IdentityMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** With it, a peer whose certificate is on it is refused, and everyone once it is out of date (ASVS V12.1.4). */
  readonly crl?: string;
}

/** Who this process is towards the others (B-zero). */
export interface ServiceIdentity {
  /** Out of the certificate's URI: auth, payments, … */
  readonly name: string;
  material(): IdentityMaterial;
  /** When the certificate runs out. */
  expireTime(): Date;
  /** Called with new material after the files have changed; answers a function that takes the listener off. */
  onChange(listener: (material: IdentityMaterial) => void): () => void;
  /** Looks at the files now. A half-written or foreign pair is not taken: the identity stays what it was. */
  reload(): Promise<boolean>;
  close(): void;
}

export interface IdentityOptions {
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
  /** How often the files are looked at. */
  readonly reloadIntervalMs?: number;
}

const RELOAD_INTERVAL_MS = 10_000;
const msPerS = 1_000;

/** Loads the identity that TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE and TLS_CRL_FILE name, and keeps up with the files. */
export async function loadServiceIdentity(
  config: IdentityConfig,
  options: IdentityOptions = {},
): Promise<ServiceIdentity> {
  const files = filesOf(config);
  let loaded = await load(files);
  let version = await versionOf(files);
  const { name } = loaded;
  options.metrics?.watch('service_certificate_expiry_seconds', () =>
    Math.max(0, (loaded.expireTime.getTime() - Date.now()) / msPerS),
  );
  const listeners = new Set<(material: IdentityMaterial) => void>();

  const reload = async (): Promise<boolean> => {
    try {
      const found = await versionOf(files);
      if (found === version) return false;
      const next = await load(files);
      if (next.name !== name) throw new Error('the new certificate names another service');
      version = found;
      loaded = next;
    } catch (error) {
      options.logger?.error({ err: error }, 'service identity not reloaded');
      return false;
    }
    for (const listener of listeners) listener(loaded.material);
    options.logger?.info({ expireTime: loaded.expireTime.toISOString() }, 'service identity reloaded');
    return true;
  };
  const timer = setInterval(() => void reload(), options.reloadIntervalMs ?? RELOAD_INTERVAL_MS);
  timer.unref();

  return {
    name,
    material: () => loaded.material,
    expireTime: () => loaded.expireTime,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reload,
    close() {
      clearInterval(timer);
      listeners.clear();
    },
  };
}

/** The paths of what IdentityMaterial holds. */
function filesOf(config: IdentityConfig): IdentityMaterial {
  const { TLS_CA_FILE: ca, TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CRL_FILE: crl } = config;
  if (!ca || !cert || !key) throw new Error('TLS_CA_FILE, TLS_CERT_FILE and TLS_KEY_FILE must all be set');
  return { ca, cert, key, ...(crl ? { crl } : {}) };
}

async function versionOf(files: IdentityMaterial): Promise<string> {
  const stats = await Promise.all(Object.values(files).map((path: string) => stat(path)));
  return stats.map(({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`).join(' ');
}

async function load(files: IdentityMaterial) {
  const read = (path: string) => readFile(path, 'utf8');
  const [ca, cert, key] = await Promise.all([read(files.ca), read(files.cert), read(files.key)]);
  const crl = files.crl === undefined ? {} : { crl: await read(files.crl) };
  const certificate = new X509Certificate(cert);
  const name = serviceNameOf(certificate);
  if (name === undefined) throw new Error('TLS_CERT_FILE names no service of strongroom in its URI');
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error('TLS_KEY_FILE is not the key of TLS_CERT_FILE');
  const authority = new X509Certificate(ca);
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) {
    throw new Error('TLS_CERT_FILE was not issued by TLS_CA_FILE');
  }
  createSecureContext({ ca, cert, key, ...crl }); // throws at a list of revoked certificates that is none, before anything listens
  return { name, material: { ca, cert, key, ...crl }, expireTime: certificate.validToDate };
}
