import type { Bus } from '@strongroom/platform/bus';
import { type Keyring, uuidv7 } from '@strongroom/platform/crypto';
import { type Act, type Database, serviceAct } from '@strongroom/platform/database';
import type { KeySource, SharedSecret, VerificationKey } from '@strongroom/platform/identity';
import { appendEvent } from '@strongroom/platform/outbox';
import { keysChangedSignal } from '@strongroom/platform/service';
import type { Logger, Metrics } from '@strongroom/platform/telemetry';
import { accessTokenLifeS, createClaimsSigner, type SignClaims } from './access-token.ts';
import {
  canVerifyNow,
  expiringKeys,
  expiryWarningDays,
  generateSigningKey,
  isKeyPair,
  jwksOf,
  publicPemOf,
  type SigningKeyRow,
  signFromLeadMs,
  signingKeyAt,
} from './signing-key.ts';
import {
  deleteOldSigningKeys,
  insertRotation,
  insertSigningKey,
  listSigningKeys,
  lockRotation,
  type RotationRow,
  retireActiveKey,
  type SealedSigningKey,
} from './signing-key-store.ts';

/** The signing keys of all instances: one table, read again when the bus says so and every so often. */
export interface SigningKeys {
  /** Signs with the key whose turn it is. */
  sign(claims: Record<string, unknown>): string;
  jwks(): { keys: object[] };
  /** For the own authenticator: Ed25519 keys and shared secrets, each with its algorithm (S3.1a). */
  readonly source: KeySource;
  list(): readonly SigningKeyRow[];
  expiring(withinDays: number): readonly SigningKeyRow[];
  rotate(act: Act, options: RotateOptions): Promise<{ key: SigningKeyRow; rotation: RotationRow }>;
  refresh(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface RotateOptions {
  readonly reason: string;
  readonly lifeDays: number;
  readonly actorId?: string | undefined;
}

export interface SigningKeysOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly keyring: Keyring;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly sharedSecrets: readonly SharedSecret[];
  readonly signWithSharedSecret: boolean;
  readonly lifeDays: number;
  readonly keptMax: number;
}

const refreshEveryMs = 30_000;
const checkEveryMs = 3_600_000;
/** Tokens of a key live this long after it retires: an instance that missed the signal signs with it until it re-reads. */
const verifyMs = accessTokenLifeS * 1000 + 2 * refreshEveryMs + 60_000;

interface LoadedKey extends SigningKeyRow {
  readonly sign: SignClaims;
  readonly verification: VerificationKey;
}

export async function createSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { database, bus, keyring, logger, metrics } = options;
  let keys: readonly LoadedKey[] = [];
  const timers: NodeJS.Timeout[] = [];
  const shared = loadSharedSecrets(options);
  metrics.watch('auth_signing_key_expiry_seconds', () => {
    const active = keys.find((key) => key.isActive);
    return active === undefined ? 0 : Math.max(0, (active.expireTimeMs - Date.now()) / 1000);
  });

  async function refresh(): Promise<void> {
    const rows = await listSigningKeys(database);
    // A key that is still there stays the same object: verified tokens stay in the cache by it.
    keys = rows.map((row) => {
      const known = keys.find((key) => key.kid === row.kid);
      return known === undefined
        ? openKey(keyring, row)
        : { ...row, sign: known.sign, verification: known.verification };
    });
  }

  async function rotate(act: Act, { reason, lifeDays, actorId }: RotateOptions) {
    const { kid, publicJwk, privatePem } = generateSigningKey();
    const privateKey = keyring.seal('signing-key', privatePem, kid);
    const rotated = await database.transaction(act, async (tx) => {
      await lockRotation(tx);
      const oldKid = await retireActiveKey(tx, { leadMs: signFromLeadMs, verifyMs });
      // The very first has nobody to wait for.
      const leadMs = oldKid === undefined ? 0 : signFromLeadMs;
      const key = await insertSigningKey(tx, { kid, publicJwk, privateKey, lifeDays, leadMs });
      const ids = { id: uuidv7(), oldKid: oldKid ?? null, newKid: kid, actorId: actorId ?? null };
      const rotation = await insertRotation(tx, { ...ids, reason });
      await deleteOldSigningKeys(tx, options.keptMax);
      await appendEvent(tx, act, {
        action: 'SECRET_ROTATED',
        resourceType: 'secret',
        resourceId: kid,
        details: { oldKid: oldKid ?? '', reason },
      });
      return { key, rotation };
    });
    await refresh();
    // A hint that saves time; whoever misses it reads again by itself.
    bus.signal(keysChangedSignal);
    return rotated;
  }

  /** Makes the first key, and the next one when a key's time is over; both once over all instances. */
  async function provide(): Promise<void> {
    const act = serviceAct('auth');
    await database.transaction(act, async (tx) => {
      await lockRotation(tx);
      keys = (await listSigningKeys(tx)).map((row) => openKey(keyring, row));
    });
    const active = keys.find((key) => key.isActive);
    if (active !== undefined && active.expireTimeMs > Date.now()) return;
    await rotate(act, { reason: active === undefined ? 'first key' : 'expired', lifeDays: options.lifeDays });
  }

  async function check(): Promise<void> {
    await provide();
    for (const key of expiringKeys(keys, Date.now(), expiryWarningDays)) {
      logger.warn({ kid: key.kid, expireTime: new Date(key.expireTimeMs).toISOString() }, 'a signing key expires soon');
    }
  }

  const report = (error: unknown) => logger.warn({ err: error }, 'the signing keys could not be read');

  return {
    sign(claims) {
      if (options.signWithSharedSecret && shared.active !== undefined) return shared.active(claims);
      const key = signingKeyAt(keys, Date.now());
      if (key === undefined) throw new Error('there is no signing key');
      return key.sign(claims);
    },
    jwks: () => jwksOf(keys, Date.now()),
    source: {
      find(kid) {
        const key = keys.find((each) => each.kid === kid);
        if (key !== undefined) return canVerifyNow(key, Date.now()) ? key.verification : undefined;
        return shared.verifying.get(kid);
      },
    },
    list: () => [...keys, ...shared.rows],
    expiring: (withinDays) => expiringKeys(keys, Date.now(), withinDays),
    rotate,
    refresh,
    async start() {
      await check();
      bus.onSignal(keysChangedSignal, () => void refresh().catch(report));
      timers.push(setInterval(() => void refresh().catch(report), refreshEveryMs).unref());
      timers.push(setInterval(() => void check().catch(report), checkEveryMs).unref());
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

function openKey(keyring: Keyring, row: SealedSigningKey): LoadedKey {
  const { kid, publicJwk } = row;
  if (publicJwk === undefined) throw new Error('a signing key lacks its public part');
  const pem = keyring.open('signing-key', row.privateKey, kid).toString('utf8');
  if (!isKeyPair(pem, publicJwk)) throw new Error('a signing key does not match its public part');
  return {
    ...row,
    sign: createClaimsSigner({ kid, algorithm: 'EdDSA', secret: pem }),
    verification: { kid, algorithm: 'EdDSA', material: publicPemOf(publicJwk) },
  };
}

function loadSharedSecrets({ sharedSecrets }: SigningKeysOptions) {
  const verifying = new Map<string, VerificationKey>();
  for (const { kid, secret, canVerify } of sharedSecrets) {
    if (canVerify) verifying.set(kid, { kid, algorithm: 'HS256', material: Buffer.from(secret, 'utf8') });
  }
  const active = sharedSecrets.find((entry) => entry.isActive);
  const rows = sharedSecrets.map(
    ({ kid, canVerify, isActive }): SigningKeyRow => ({
      kid,
      algorithm: 'HS256',
      publicJwk: undefined,
      isActive,
      canVerify,
      createTimeMs: 0,
      signFromTimeMs: 0,
      expireTimeMs: Number.MAX_SAFE_INTEGER,
      retireTimeMs: undefined,
      verifyUntilTimeMs: undefined,
    }),
  );
  const sign =
    active === undefined
      ? undefined
      : createClaimsSigner({ kid: active.kid, algorithm: 'HS256', secret: active.secret });
  return { verifying, active: sign, rows };
}
