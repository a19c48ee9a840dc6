import { request } from 'undici';
import type { Logger } from '../telemetry/index.ts';
import { type KeySource, keysFromJwks, type VerificationKey } from './keys.ts';
import { createServiceDispatcher } from './service-dispatcher.ts';
import type { ServiceIdentity } from './service-identity.ts';

export interface RemoteKeysOptions {
  /** Where auth answers. */
  readonly url: string | URL;
  readonly identity?: ServiceIdentity | undefined;
  readonly logger?: Logger | undefined;
  /** How old the keys may get before they are asked for again. */
  readonly refreshIntervalMs?: number;
  /** An unknown key id asks again, but not more often than this: it costs the sender nothing to make ids up. */
  readonly unknownKeyIntervalMs?: number;
}

export interface RemoteKeys extends KeySource {
  /** Asks now: at start, and when auth signals that keys have changed. If auth doesn't answer, that is logged. */
  refresh(): Promise<void>;
  /** Whether keys were ever received. */
  isLoaded(): boolean;
  close(): Promise<void>;
}

const JWKS_PATH = '/.well-known/jwks.json';
const JWKS_MAX_BYTES = 65_536;
const REFRESH_INTERVAL_MS = 60_000;
const UNKNOWN_KEY_INTERVAL_MS = 2_000;
const FIRST_KEYS_INTERVAL_MS = 500;
const REQUEST_TIMEOUT_MS = 3_000;

/** The public keys of auth. While auth is down, the last ones go on being good: signing in needs auth, using it doesn't. */
export function createRemoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const { logger, refreshIntervalMs = REFRESH_INTERVAL_MS } = options;
  const unknownKeyIntervalMs = options.unknownKeyIntervalMs ?? UNKNOWN_KEY_INTERVAL_MS;
  const url = new URL(JWKS_PATH, options.url);
  const dispatcher = createServiceDispatcher({ name: 'auth', url: options.url, identity: options.identity });
  let keys: ReadonlyMap<string, VerificationKey> = new Map();
  let running: Promise<void> | undefined;
  let lastAskedMs = Number.NEGATIVE_INFINITY;
  let isLoaded = false;
  let isLackLogged = false;
  let isClosed = false;

  const ask = async (): Promise<void> => {
    lastAskedMs = performance.now();
    const response = await request(url, {
      dispatcher: dispatcher.current(),
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
    });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Error(`the key set was answered with ${response.statusCode}`);
    }
    const text = await response.body.text();
    if (text.length > JWKS_MAX_BYTES) throw new Error('the key set is too large');
    const found = keysFromJwks(JSON.parse(text));
    // Auth answers before it has read its keys: an empty set says nothing, and must not be kept for a minute.
    if (found.length === 0) throw new Error('the key set is empty');
    keys = keepIdentity(keys, found);
    isLoaded = true;
  };
  const logFailure = (err: unknown): void => {
    if (isLoaded) logger?.warn({ err }, 'the keys of auth could not be read; the last ones stay in use');
    else if (!isLackLogged) logger?.warn({ err }, 'auth gives no keys yet: no token is verified until it does');
    isLackLogged = true;
  };
  const refresh = (): Promise<void> => {
    running ??= ask()
      .catch(logFailure)
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  let timer: NodeJS.Timeout;
  const schedule = (): void => {
    if (isClosed) return;
    // Started before auth, a process has no keys yet and soon asks again (S1.5: any start order).
    timer = setTimeout(() => void refresh().then(schedule), isLoaded ? refreshIntervalMs : FIRST_KEYS_INTERVAL_MS);
    timer.unref();
  };
  schedule();

  return {
    find(kid) {
      const known = keys.get(kid);
      if (known !== undefined) return known;
      if (running === undefined && performance.now() - lastAskedMs < unknownKeyIntervalMs) return undefined;
      return refresh().then(() => keys.get(kid));
    },
    refresh,
    isLoaded: () => isLoaded,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await dispatcher.close();
    },
  };
}

/** A key that is still there stays the same object, so that tokens verified with it stay in the cache. */
function keepIdentity(
  before: ReadonlyMap<string, VerificationKey>,
  found: readonly VerificationKey[],
): ReadonlyMap<string, VerificationKey> {
  const entries = found.map((key): [string, VerificationKey] => {
    const known = before.get(key.kid);
    return [key.kid, known !== undefined && known.material === key.material ? known : key];
  });
  return new Map(entries);
}
