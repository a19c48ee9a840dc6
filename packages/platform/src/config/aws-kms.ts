import { OpenError, openBytes, readSealed, sealBytes } from '../crypto/sealed-bytes.ts';
import type { ValueProvider } from './encrypted-value.ts';

const requestTimeoutMs = 5_000;
const attemptsMax = 3;
const wrappedKeyBytesMax = 6_144;
const lengthPrefixBytes = 2;

export interface KmsOptions {
  readonly keyId: string | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/**
 * Envelope encryption with AWS KMS: each value has a data key of its own, which only the KMS can unwrap, and only for
 * the same encryption context (the variable's name). The SDK is loaded at the first use: most processes never need it.
 */
export function createKmsProvider(options: KmsOptions): ValueProvider {
  let connected: Promise<KmsClient> | undefined;
  const client = () => {
    connected ??= connectKms(options);
    return connected;
  };
  return {
    name: 'awskms',
    async seal(variable, plaintext) {
      if (!options.keyId) throw new Error('AWS_KMS_KEY_ID must name the key that seals.');
      const { dataKey, wrapped, keyId } = await (await client()).generateDataKey(options.keyId, variable);
      const sealed = sealBytes(dataKey, shortKeyId(keyId), Buffer.from(plaintext, 'utf8'), Buffer.from(variable));
      dataKey.fill(0);
      const length = Buffer.alloc(lengthPrefixBytes);
      length.writeUInt16BE(wrapped.length);
      return Buffer.concat([length, wrapped, sealed]);
    },
    async open(variable, bytes) {
      if (bytes.length < lengthPrefixBytes) throw new OpenError('format');
      const wrappedLength = bytes.readUInt16BE(0);
      if (wrappedLength > wrappedKeyBytesMax) throw new OpenError('format');
      const sealed = bytes.subarray(lengthPrefixBytes + wrappedLength);
      const { keyId } = readSealed(sealed);
      const wrapped = bytes.subarray(lengthPrefixBytes, lengthPrefixBytes + wrappedLength);
      const dataKey = await (await client()).decrypt(wrapped, variable);
      const plaintext = openBytes(dataKey, sealed, Buffer.from(variable)).toString('utf8');
      dataKey.fill(0);
      return { plaintext, keyId };
    },
  };
}

interface KmsClient {
  generateDataKey(keyId: string, variable: string): Promise<{ dataKey: Buffer; wrapped: Buffer; keyId: string }>;
  decrypt(wrapped: Buffer, variable: string): Promise<Buffer>;
}

async function connectKms(options: KmsOptions): Promise<KmsClient> {
  const { DecryptCommand, GenerateDataKeyCommand, KMSClient } = await import('@aws-sdk/client-kms');
  const kms = new KMSClient({
    maxAttempts: attemptsMax,
    requestHandler: { requestTimeout: requestTimeoutMs, connectionTimeout: requestTimeoutMs },
    ...(options.endpoint ? { endpoint: options.endpoint } : {}),
    ...(options.region ? { region: options.region } : {}),
  });
  return {
    async generateDataKey(keyId, variable) {
      const answer = await kms.send(
        new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: { variable } }),
      );
      if (!answer.Plaintext || !answer.CiphertextBlob) throw new OpenError('key');
      return {
        dataKey: Buffer.from(answer.Plaintext),
        wrapped: Buffer.from(answer.CiphertextBlob),
        keyId: answer.KeyId ?? keyId,
      };
    },
    async decrypt(wrapped, variable) {
      const answer = await kms.send(new DecryptCommand({ CiphertextBlob: wrapped, EncryptionContext: { variable } }));
      if (!answer.Plaintext) throw new OpenError('key');
      return Buffer.from(answer.Plaintext);
    },
  };
}

/** `arn:aws:kms:region:account:key/id` → the id: what an audit record should name. */
function shortKeyId(keyId: string): string {
  return keyId.slice(keyId.lastIndexOf('/') + 1).slice(0, 64);
}
