import 'reflect-metadata'; // @peculiar/x509 asks for it
import { webcrypto } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PemConverter, X509Certificate, X509CrlGenerator } from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hourMs = 3_600_000;

/** Signs a list of the named services' certificates with the authority of this folder (RFC 5280 section 5). */
export async function writeRevocationList(
  folder: string,
  path: string,
  names: readonly string[],
  nextUpdate = new Date(Date.now() + hourMs),
): Promise<void> {
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  const authority = new X509Certificate(await read('ca.pem'));
  const pkcs8 = PemConverter.decodeFirst(await read('ca.key.pem'));
  const entries = await Promise.all(
    names.map(async (name) => ({
      serialNumber: new X509Certificate(await read(`${name}.pem`)).serialNumber,
      revocationDate: new Date(),
    })),
  );
  const list = await X509CrlGenerator.create({
    issuer: authority.subject,
    thisUpdate: new Date(Date.now() - hourMs),
    nextUpdate,
    entries,
    signingAlgorithm: algorithm,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
  });
  await writeFile(path, PemConverter.encode(list.rawData, 'X509 CRL')); // RFC 7468's name of it
}
