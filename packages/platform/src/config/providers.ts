import { createKeyring, type Keyring, keyringFromConfig, parseMasterKey } from '../crypto/keyring.ts';
import { readSealed } from '../crypto/sealed-bytes.ts';
import { createKmsProvider } from './aws-kms.ts';
import { cacheProvider, type ValueProvider, type ValueProviders } from './encrypted-value.ts';
import { Secret } from './secret.ts';

export const defaultKeyId = 'local-1';

/** Seals with the master key of this process, AES-256-GCM under a subkey of its own. */
export function createLocalProvider(keyring: Keyring): ValueProvider {
  return {
    name: 'local',
    async seal(variable, plaintext) {
      return keyring.seal('config', plaintext, variable);
    },
    async open(variable, sealed) {
      return {
        plaintext: keyring.open('config', sealed, variable).toString('utf8'),
        keyId: readSealed(sealed).keyId,
      };
    },
  };
}

/**
 * The providers that the environment names keys for. These variables are read before the schema, because the others
 * may be sealed under them: ENCRYPTION_MASTER_KEY, ENCRYPTION_KEY_ID, ENCRYPTION_PREVIOUS_KEYS, ENCRYPTION_CACHE_TTL_S,
 * AWS_KMS_KEY_ID, AWS_KMS_ENDPOINT, AWS_REGION.
 */
export function createProviders(environment: Readonly<Record<string, string | undefined>>): ValueProviders {
  const found: ValueProvider[] = [];
  const masterKey = environment['ENCRYPTION_MASTER_KEY'] ?? '';
  if (parseMasterKey(masterKey) !== undefined) found.push(createLocalProvider(localKeyring(masterKey, environment)));
  found.push(
    createKmsProvider({
      keyId: environment['AWS_KMS_KEY_ID'],
      endpoint: environment['AWS_KMS_ENDPOINT'],
      region: environment['AWS_REGION'],
    }),
  );
  const ttlMs = Number(environment['ENCRYPTION_CACHE_TTL_S'] ?? 0) * 1000;
  const cached = ttlMs > 0 ? found.map((provider) => cacheProvider(provider, ttlMs)) : found;
  return new Map(cached.map((provider) => [provider.name, provider]));
}

function localKeyring(masterKey: string, environment: Readonly<Record<string, string | undefined>>): Keyring {
  const id = environment['ENCRYPTION_KEY_ID'] || defaultKeyId;
  try {
    return keyringFromConfig({
      ENCRYPTION_MASTER_KEY: new Secret(masterKey),
      ENCRYPTION_KEY_ID: id,
      ENCRYPTION_PREVIOUS_KEYS: new Secret(environment['ENCRYPTION_PREVIOUS_KEYS'] ?? ''),
    });
  } catch {
    // Malformed previous keys are a fault of that variable, which the schema reports beside all others.
    return createKeyring([{ id, key: parseMasterKey(masterKey) ?? Buffer.alloc(0) }]);
  }
}
