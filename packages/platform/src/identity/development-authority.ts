import 'reflect-metadata'; // @peculiar/x509 asks for it
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { serviceUri } from './spiffe.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CERTIFICATE_LIFE_MS = 30 * DAY_MS;
const RENEW_BEFORE_MS = 7 * DAY_MS;
const AUTHORITY_LIFE_MS = 365 * DAY_MS;
const BACKDATE_MS = 5 * 60_000; // clocks of one machine's processes under faketime (F14)
const SERIAL_BYTES = 16; // RFC 5280 section 4.1.2.2: at most 20 octets, positive
const PRIVATE_FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

interface Authority {
  readonly certificate: X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly isNew: boolean;
}

/**
 * Own authority and one certificate a service, for development and tests: `ca.pem`, `ca.key.pem`, `<name>.pem`,
 * `<name>.key.pem`. What is there and good for another 7 days stays.
 */
export async function issueDevelopmentCertificates(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const authority = await loadAuthority(folder);
  for (const name of names) {
    if (!authority.isNew && (await isGood(folder, name, authority))) continue;
    await writeServiceCertificate(folder, name, authority);
  }
}

async function loadAuthority(folder: string): Promise<Authority> {
  const certificate = await readCertificate(join(folder, 'ca.pem'));
  const key = await readKey(join(folder, 'ca.key.pem'));
  if (certificate !== undefined && key !== undefined && livesOn(certificate)) {
    return { certificate, key, isNew: false };
  }
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const made = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Strongroom development authority',
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + AUTHORITY_LIFE_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writePair(folder, 'ca', made, keys.privateKey);
  return { certificate: made, key: keys.privateKey, isNew: true };
}

async function writeServiceCertificate(folder: string, name: string, authority: Authority): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${name}`,
    issuer: authority.certificate.subject,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + CERTIFICATE_LIFE_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([
        { type: 'url', value: serviceUri(name) },
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  await writePair(folder, name, certificate, keys.privateKey);
}

async function writePair(
  folder: string,
  name: string,
  certificate: X509Certificate,
  privateKey: webcrypto.CryptoKey,
): Promise<void> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  await writeWhole(join(folder, `${name}.key.pem`), PemConverter.encode(pkcs8, 'PRIVATE KEY'));
  await writeWhole(join(folder, `${name}.pem`), certificate.toString('pem'));
}

/** A reader, or a second start at the same time, never sees half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(partial, `${text}\n`, { mode: PRIVATE_FILE_MODE });
  await rename(partial, path);
}

async function isGood(folder: string, name: string, authority: Authority): Promise<boolean> {
  const certificate = await readCertificate(join(folder, `${name}.pem`));
  const key = await readKey(join(folder, `${name}.key.pem`));
  if (certificate === undefined || key === undefined || !livesOn(certificate)) return false;
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  if (!names.some(({ type, value }) => type === 'url' && value === serviceUri(name))) return false;
  return certificate.verify({ publicKey: authority.certificate.publicKey });
}

function livesOn(certificate: X509Certificate): boolean {
  return certificate.notAfter.getTime() - Date.now() > RENEW_BEFORE_MS;
}

async function readCertificate(path: string): Promise<X509Certificate | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return new X509Certificate(text);
  } catch {
    return undefined; // damaged: a new one is made
  }
}

async function readKey(path: string): Promise<webcrypto.CryptoKey | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    const pkcs8 = PemConverter.decodeFirst(text);
    return await webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']);
  } catch {
    return undefined; // damaged: a new one is made
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40; // positive, and without a leading zero
  return bytes.toString('hex');
}
