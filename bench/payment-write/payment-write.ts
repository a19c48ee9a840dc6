import { randomBytes, randomUUID } from 'node:crypto';
import { databaseVariables, loadConfig } from '@strongroom/platform/config';
import { createFieldCipher, createKeyring, sha256, uuidv7 } from '@strongroom/platform/crypto';
import { createDatabase, type Database, serviceAct } from '@strongroom/platform/database';
import { eventRow } from '@strongroom/platform/outbox';
import { createLogger } from '@strongroom/platform/telemetry';
import { createTestDatabase, openSql } from '@strongroom/testkit';
import {
  type NewPaymentOutcome,
  type NewPaymentWrite,
  writeNewPayments,
} from '../../services/payments/src/payment/new-payment-store.ts';
import { paymentEvent } from '../../services/payments/src/payment/payment-event.ts';
import { type NewPayment, newPaymentToPayment } from '../../services/payments/src/payment/payment-store.ts';
import { completedCharge, type Settlement } from '../../services/payments/src/psp/settlement.ts';
import { writeSettlements } from '../../services/payments/src/psp/settlement-store.ts';
import { type BatchWriter, createBatchWriter } from '../../services/payments/src/work/batch-writer.ts';
import { withEngines } from '../engines.ts';
import { measureRate, median } from '../measure.ts';

const roundsCount = 5;
const roundMs = 2_000;
const act = serviceAct('bench');
const cipher = createFieldCipher(createKeyring([{ id: 'bench', key: randomBytes(32) }]));
const responseBytes = 250;
const statementTimeoutMs = 10_000;
const keyLifetimeS = 172_800;
/** Throughput is what is had at saturation: the best rate of each kind over these, whichever it is. */
const callerCounts = [1, 64, 256];

/** What each write of a payment's life must do, against the least that any insert costs: the same columns, one index, no rule. */
export async function runPaymentWrite(): Promise<Record<string, number>> {
  return withEngines(async () => {
    const test = await createTestDatabase('payments');
    const owner = openSql(test.ownerUrl);
    await owner`create table bare_payments (like payments including defaults, primary key (id))`;
    await owner.end();
    const config = await loadConfig(databaseVariables, { STRONGROOM_ENV: 'test', DATABASE_URL: test.runtimeUrl });
    const logger = createLogger({ name: 'bench', level: 'silent' });
    const database = await createDatabase({ url: test.runtimeUrl, name: 'payments', config, logger });
    try {
      return await compareRates(database);
    } finally {
      await database.close();
      await test.drop();
    }
  });
}

interface Writers {
  readonly writeNewPayment: BatchWriter<NewPaymentWrite, NewPaymentOutcome>;
  readonly writeSettlement: BatchWriter<Settlement, boolean>;
}

/** Writes a second of each kind. A payment's life is its creation, its way to the provider, and the capture with its pair. */
interface Round {
  readonly bare: number;
  readonly write: number;
  readonly capture: number;
  readonly life: number;
}

async function compareRates(database: Database): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const rounds: Round[] = [];
  for (const callers of callerCounts) {
    const round = await measureCallers(database, callers);
    rounds.push(round);
    figures[`bare_insert_per_second_${callers}_callers`] = round.bare;
    figures[`payment_write_per_second_${callers}_callers`] = round.write;
    figures[`capture_per_second_${callers}_callers`] = round.capture;
    figures[`whole_life_per_second_${callers}_callers`] = round.life;
  }
  const bestOf = (figure: (round: Round) => number) => Math.max(...rounds.map(figure));
  const bare = bestOf((round) => round.bare);
  figures['payment_write_to_bare_ratio'] = bestOf(({ write }) => write) / bare;
  figures['capture_to_bare_ratio'] = bestOf(({ capture }) => capture) / bare;
  return figures;
}

async function measureCallers(database: Database, callers: number): Promise<Round> {
  const writers = {
    writeNewPayment: createBatchWriter(database, writeNewPayments, statementTimeoutMs),
    writeSettlement: createBatchWriter(database, writeSettlements, statementTimeoutMs),
  };
  const rounds: Round[] = [];
  for (let round = 0; round <= roundsCount; round += 1) {
    const measured = await runRound(database, writers, callers);
    // The first round warms all up.
    if (round > 0) rounds.push(measured);
  }
  const medianOf = (figure: (round: Round) => number) => median(rounds.map(figure));
  return {
    bare: medianOf(({ bare }) => bare),
    write: medianOf(({ write }) => write),
    capture: medianOf(({ capture }) => capture),
    life: medianOf(({ life }) => life),
  };
}

async function runRound(database: Database, writers: Writers, concurrency: number): Promise<Round> {
  const drafts: NewPayment[] = [];
  const writeOne = async () => {
    const draft = newPayment();
    await writeWhole(writers, draft);
    drafts.push(draft);
  };
  const bare = await measureRate(() => insertBare(database, newPayment()), { concurrency, durationMs: roundMs });
  const startMs = performance.now();
  const write = await measureRate(writeOne, { concurrency, durationMs: roundMs });
  await database.transaction(
    act,
    ({ sql }) => sql`
    update payments set status = 'processing', version = version + 1, change_actor_id = null, change_actor_kind = 'psp'
    where id = any(${drafts.map(({ id }) => id)})`,
  );
  const count = drafts.length;
  const captureStartMs = performance.now();
  const capturer = async () => {
    for (let draft = drafts.pop(); draft !== undefined; draft = drafts.pop()) await capture(writers, draft);
  };
  await Promise.all(Array.from({ length: concurrency }, capturer));
  const endMs = performance.now();
  return {
    bare: bare.perSecond,
    write: write.perSecond,
    capture: (count * 1_000) / (endMs - captureStartMs),
    life: (count * 1_000) / (endMs - startMs),
  };
}

async function capture({ writeSettlement }: Writers, draft: NewPayment): Promise<void> {
  const payment = { ...newPaymentToPayment(draft), status: 'processing', version: 2n } as const;
  const outcome = { kind: 'completed', transactionId: draft.id } as const;
  const facts = { actorId: null, actorKind: 'psp', reason: 'bench' } as const;
  if (!(await writeSettlement(completedCharge(payment, outcome, { act, facts })))) {
    throw new Error('A payment that is with the provider was not settled.');
  }
}

function newPayment(): NewPayment {
  return {
    id: uuidv7(),
    type: 'instant',
    currencyCode: 'EUR',
    minorUnits: 1_050n,
    senderId: randomUUID(),
    recipientId: randomUUID(),
    description: 'Rent, November',
    metadata: { order: '7' },
    paymentMethodId: null,
    scheduledTime: null,
    recurrence: null,
    timeZone: null,
    nextRunTime: null,
    parentPaymentId: null,
    occurrenceTime: null,
    createTime: new Date().toISOString(),
  };
}

async function insertBare({ sql }: Database, payment: NewPayment): Promise<void> {
  await sql`
    insert into bare_payments (id, type, status, currency_code, minor_units, sender_id, recipient_id, description, metadata,
      create_time, update_time, change_actor_id, change_actor_kind)
    values (${payment.id}, ${payment.type}, 'pending', ${payment.currencyCode}, ${payment.minorUnits},
      ${payment.senderId}, ${payment.recipientId}, ${payment.description}, ${JSON.stringify(payment.metadata)}::text::jsonb,
      ${payment.createTime}, ${payment.createTime}, ${payment.senderId}, 'user')`;
}

async function writeWhole({ writeNewPayment }: Writers, draft: NewPayment): Promise<void> {
  const key = randomUUID();
  const keyHash = sha256(key);
  const event = paymentEvent('PAYMENT_CREATED', newPaymentToPayment(draft));
  const outcome = await writeNewPayment({
    act,
    use: {
      userId: draft.senderId,
      method: 'CreatePayment',
      keyHash,
      requestHash: sha256(draft.id),
      sealedRequestHash: cipher.seal(sha256(draft.id), { table: 'idempotency_keys', column: 'request_hash', row: key }),
      lock: keyHash.readBigInt64BE(0),
      lifetimeS: keyLifetimeS,
    },
    draft,
    sealedResponse: cipher.seal(randomBytes(responseBytes), {
      table: 'idempotency_keys',
      column: 'response',
      row: key,
    }),
    event: eventRow(act, event),
  });
  if (outcome !== 'written') throw new Error(`A write ended as ${outcome}.`);
}
