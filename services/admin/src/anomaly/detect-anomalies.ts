import { setTimeout as delay } from 'node:timers/promises';
import { uuidv7 } from '@strongroom/platform/crypto';
import { type Database, serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { type OpenDeps, openPart } from '../audit/audit-proto.ts';
import { listRecords, type SequencedRecord } from '../audit/audit-store.ts';
import type { FlagBoard } from '../flag/flag-board.ts';
import {
  type AnomalyKindName,
  anomalyKinds,
  type Baseline,
  emptyBaseline,
  type Finding,
  judgePayment,
  judgeSignIn,
  judgeWrite,
} from './anomaly-rules.ts';
import {
  type AnomalyAction,
  findBaselines,
  insertAnomaly,
  lockCursor,
  moveCursor,
  storeBaselines,
} from './anomaly-store.ts';
import { type EnforceDeps, enforceAnomalies } from './enforce-anomalies.ts';
import type { FindPlace } from './places.ts';

const batchMax = 500;

export interface DetectDeps extends OpenDeps {
  readonly database: Database;
  readonly auditDatabase: Database;
  readonly flags: FlagBoard;
  readonly findPlace: FindPlace;
  readonly actionOf: (kind: AnomalyKindName) => AnomalyAction;
}

/**
 * Judges what has come into the log since the last time. It reads the log, not the bus: in order, each record once, because
 * the position moves in the transaction that stores what was found (S7.2). Gives how many records it read.
 */
export async function detectAnomalies(deps: DetectDeps): Promise<number> {
  const { database, auditDatabase } = deps;
  const act = serviceAct('admin');
  return database.transaction(act, async (tx) => {
    const next = await lockCursor(tx);
    if (next === undefined) return 0;
    const records = await listRecords(auditDatabase, {}, { limit: batchMax, descending: false, after: next - 1 });
    const last = records.at(-1);
    if (!last) return 0;
    const persons = new Set(records.map(personOf).filter((id) => id !== ''));
    const baselines = await findBaselines(tx, [...persons]);
    const touched = new Map<string, Baseline>();
    const reported = new Set<string>();
    for (const record of records) {
      const findings = await judgeRecord(
        deps,
        record,
        (userId) => touched.get(userId) ?? baselines.get(userId) ?? emptyBaseline,
        touched,
      );
      for (const finding of findings) {
        // A statement over many rows is several records; one of them tells it.
        const key =
          finding.kind === 'MASS_WRITE' ? `${record.traceId} ${finding.reason}` : `${record.eventId} ${finding.kind}`;
        if (reported.has(key)) continue;
        reported.add(key);
        const anomaly = {
          id: uuidv7(),
          kind: finding.kind,
          userId: personOf(record),
          eventId: record.eventId,
          score: finding.score,
          reasons: [finding.reason],
          action: deps.actionOf(finding.kind),
        };
        if (!(await insertAnomaly(tx, anomaly))) continue;
        deps.metrics.increment('anomalies_detected_total', { rule: finding.kind, action: anomaly.action });
        await appendEvent(tx, act, {
          action: 'ANOMALY_DETECTED',
          resourceType: 'user',
          resourceId: anomaly.userId,
          subjectId: anomaly.userId,
          details: { anomaly: anomaly.id, rule: finding.kind, action: anomaly.action, event: record.eventId },
          personalDetails: { reason: finding.reason },
        });
      }
    }
    if (touched.size > 0) await storeBaselines(tx, touched);
    await moveCursor(tx, last.sequence + 1);
    return records.length;
  });
}

/** Whom the act is about, for what is known of persons: who signed in, who paid. */
function personOf(record: SequencedRecord): string {
  return record.subjectId || record.actorId;
}

async function judgeRecord(
  deps: DetectDeps,
  record: SequencedRecord,
  baselineOf: (userId: string) => Baseline,
  touched: Map<string, Baseline>,
): Promise<readonly Finding[]> {
  const userId = personOf(record);
  const timeMs = Date.parse(record.occurTime);
  const { details } = record;
  if (record.action === 'DB_WRITE') {
    return judgeWrite({
      actorKind: record.actorKind,
      databaseRole: details['databaseRole'] ?? '',
      operation: details['operation'] ?? '',
      rows: Number(details['rows'] ?? 0),
      table: details['table'] ?? '',
    });
  }
  if (userId === '') return [];
  if (record.action === 'USER_LOGIN') {
    const { facts, state } = await openPart(deps, record, 'actor', record.actorSealed);
    if (state === 'erased') return [];
    const place = deps.findPlace(facts['ipAddress'] ?? '');
    const judged = judgeSignIn(baselineOf(userId), { timeMs, deviceId: record.deviceId, place });
    touched.set(userId, judged.baseline);
    return judged.findings;
  }
  if (record.action === 'PAYMENT_CREATED' && /^\d{1,15}$/.test(details['minorUnits'] ?? '')) {
    // An erased person gets no new baseline.
    if (!(await deps.keystore.keyOf(userId))) return [];
    const fact = { timeMs, currencyCode: details['currencyCode'] ?? '', minorUnits: Number(details['minorUnits']) };
    const judged = judgePayment(baselineOf(userId), fact);
    touched.set(userId, judged.baseline);
    return judged.findings;
  }
  return [];
}

async function detectAndEnforce(deps: DetectDeps & EnforceDeps): Promise<number> {
  const read = await detectAnomalies(deps).catch((error: unknown) => {
    deps.logger.error({ err: error }, 'anomalies could not be looked for');
    return 0;
  });
  // With auth away they wait: each stays undone until it is done.
  await enforceAnomalies(deps).catch((error: unknown) => {
    deps.logger.warn({ err: error }, 'an anomaly could not be acted on yet');
  });
  return read;
}

/** Looks now and then, and acts on what was found; goes on at once while there is more. */
export function startDetection(deps: DetectDeps & EnforceDeps, intervalMs: number): { stop(): Promise<void> } {
  const stopping = new AbortController();
  // Prometheus sees no increase in a series that begins above zero.
  for (const rule of anomalyKinds) {
    deps.metrics.add('anomalies_detected_total', 0, { rule, action: deps.actionOf(rule) });
  }
  const run = async () => {
    while (!stopping.signal.aborted) {
      const read = deps.flags.isEnabled('anomaly-detection') ? await detectAndEnforce(deps) : 0;
      if (read === batchMax) continue;
      await delay(intervalMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const done = run();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
