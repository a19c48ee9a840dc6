import { dpopLifeS } from '@strongroom/platform/identity';
import type { Logger } from '@strongroom/platform/telemetry';
import type { Redis } from 'ioredis';

/** Remembers proofs for as long as they are good, so that each counts once (RFC 9449, 11.1). */
export interface ProofLedger {
  /** False when the proof was spent before. */
  spend(replayHash: Buffer): Promise<boolean>;
}

/** Proofs held in memory while Redis is away; the oldest go first. */
const localProofsMax = 50_000;

export function createProofLedger(redis: Pick<Redis, 'set'>, logger: Logger): ProofLedger {
  const local = new Map<string, number>();
  return {
    async spend(replayHash) {
      const key = `dpop:${replayHash.toString('base64url')}`;
      const isNewHere = spendLocally(local, key, Date.now());
      try {
        return (await redis.set(key, '1', 'EX', dpopLifeS, 'NX')) === 'OK' && isNewHere;
      } catch (error) {
        // This instance still takes each proof once; another one could take it again until Redis is back.
        logger.warn({ err: error }, 'Redis is away: DPoP proofs are remembered per instance');
        return isNewHere;
      }
    },
  };
}

function spendLocally(local: Map<string, number>, key: string, nowMs: number): boolean {
  const expireMs = local.get(key);
  if (expireMs !== undefined && expireMs > nowMs) return false;
  local.delete(key);
  local.set(key, nowMs + dpopLifeS * 1000);
  if (local.size > localProofsMax) local.delete(local.keys().next().value as string);
  return true;
}
