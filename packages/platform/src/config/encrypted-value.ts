import { OpenError } from '../crypto/sealed-bytes.ts';

const encryptedValue = /^ENC\[([a-z0-9-]{1,32}):([A-Za-z0-9+/]+={0,2})\]$/;

/** Opens and seals the values of one key holder: a local master key, or a KMS. */
export interface ValueProvider {
  readonly name: string;
  /** `variable` is authenticated with the value, so that a value can't be moved to another variable (S3.3a). */
  seal(variable: string, plaintext: string): Promise<Buffer>;
  open(variable: string, sealed: Buffer): Promise<{ readonly plaintext: string; readonly keyId: string }>;
}

export type ValueProviders = ReadonlyMap<string, ValueProvider>;

/** What the audit learns of an access: everything but the value (S3.3b). */
export interface EncryptedValueAccess {
  readonly provider: string;
  readonly variable: string;
  readonly keyId: string;
  readonly operation: 'open' | 'seal';
  readonly outcome: 'ok' | 'refused';
}

export function isEncryptedValue(text: string): boolean {
  return text.startsWith('ENC[');
}

export interface OpenRequest {
  readonly variable: string;
  readonly text: string;
  readonly providers: ValueProviders;
  readonly onAccess?: ((access: EncryptedValueAccess) => void) | undefined;
}

export async function openEncryptedValue({ variable, text, providers, onAccess }: OpenRequest): Promise<string> {
  const match = encryptedValue.exec(text);
  const name = match?.[1] ?? '';
  const provider = providers.get(name);
  try {
    if (match?.[2] === undefined || provider === undefined) throw new OpenError('format');
    const { plaintext, keyId } = await provider.open(variable, Buffer.from(match[2], 'base64'));
    onAccess?.({ provider: name, variable, keyId, operation: 'open', outcome: 'ok' });
    return plaintext;
  } catch (error) {
    onAccess?.({ provider: name, variable, keyId: '', operation: 'open', outcome: 'refused' });
    throw error;
  }
}

export async function sealEncryptedValue(
  provider: ValueProvider,
  variable: string,
  plaintext: string,
): Promise<string> {
  return `ENC[${provider.name}:${(await provider.seal(variable, plaintext)).toString('base64')}]`;
}

interface CacheEntry {
  readonly opened: Promise<{ readonly plaintext: string; readonly keyId: string }>;
  readonly expireMs: number;
}

const cacheEntriesMax = 256;

/** Remembers opened values for a while, so that a KMS isn't asked again for each reload. Off unless asked for. */
export function cacheProvider(provider: ValueProvider, ttlMs: number, now: () => number = Date.now): ValueProvider {
  const entries = new Map<string, CacheEntry>();
  return {
    name: provider.name,
    seal: (variable, plaintext) => provider.seal(variable, plaintext),
    open(variable, sealed) {
      const key = `${variable}\n${sealed.toString('base64')}`;
      const entry = entries.get(key);
      if (entry !== undefined && entry.expireMs > now()) return entry.opened;
      const opened = provider.open(variable, sealed);
      if (entries.size >= cacheEntriesMax) entries.clear();
      entries.set(key, { opened, expireMs: now() + ttlMs });
      // A failure is not remembered: the next access asks again.
      opened.catch(() => entries.delete(key));
      return opened;
    },
  };
}
