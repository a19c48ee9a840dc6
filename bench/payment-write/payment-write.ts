import { randomBytes, randomUUID } from 'node:crypto';
import { databaseVariables, loadConfig } from '@strongroom/platform/config';
import { createFieldCipher, createKeyring, sha256, uuidv7 } from '@strongroom/platform/crypto';
import { createDatabase, type Database, serviceAct } from '@strongroom/platform/database';
import { eventRow } from '@strongroom/platform/outbox';
import { createLogger } from '@strongroom/platform/telemetry';
import { createTestDatabase, openSql } from '@strongroom/testkit';
import {
  createNewPaymentWriter,
  type NewPaymentWriter,
} from '../../services/payments/src/payment/new-payment-writer.ts';
import { paymentEvent } from '../../services/payments/src/payment/payment-event.ts';
import {
  lockPayment,
  type NewPayment,
  newPaymentToPayment,
} from '../../services/payments/src/payment/payment-store.ts';
import { settleCharge } from '../../services/payments/src/psp/settle-charge.ts';
import { withEngines } from '../engines.ts';
import { measureRate, median } from '../measure.ts';

const rounds = 5;
const roundMs = 2_000;
const act = serviceAct('bench');
const cipher = createFieldCipher(createKeyring([{ id: 'bench', key: randomBytes(32) }]));
const responseBytes = 250;
const statementTimeoutMs = 10_000;
const keyLifetimeS = 172_800;

/** What one write must do, against the least that any insert costs: the same columns, one index, no rule. */
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
      return { ...(await compare(database, 'serial', 1)), ...(await compare(database, 'parallel', 64)) };
    } finally {
      await database.close();
      await test.drop();
    }
  });
}

async function compare(database: Database, name: string, concurrency: number): Promise<Record<string, number>> {
  const writer = createNewPaymentWriter(database, statementTimeoutMs);
  const rates: { bare: number; write: number; life: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const bare = await measureRate(() => insertBare(database, newPayment()), { concurrency, durationMs: roundMs });
    const write = await measureRate(() => writeWhole(writer, newPayment()), { concurrency, durationMs: roundMs });
    const life = await measureRate(() => writeAndCapture(database, writer), { concurrency, durationMs: roundMs });
    // The first round warms all up.
    if (round > 0) rates.push({ bare: bare.perSecond, write: write.perSecond, life: life.perSecond });
  }
  return {
    [`${name}_bare_insert_per_second`]: median(rates.map(({ bare }) => bare)),
    [`${name}_payment_write_per_second`]: median(rates.map(({ write }) => write)),
    [`${name}_write_to_bare_ratio`]: median(rates.map(({ bare, write }) => write / bare)),
    [`${name}_write_and_capture_per_second`]: median(rates.map(({ life }) => life)),
  };
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

/** The second write of a payment's life as well, which posts to the ledger: what the provider has collected. */
async function writeAndCapture(database: Database, writer: NewPaymentWriter): Promise<void> {
  const draft = newPayment();
  await writeWhole(writer, draft);
  await database.transaction(act, async (tx) => {
    const payment = await lockPayment(tx, draft.id);
    if (payment === undefined) throw new Error('A payment that was written is not there.');
    const outcome = { kind: 'completed', transactionId: draft.id } as const;
    await settleCharge(tx, act, payment, outcome, { actorId: null, actorKind: 'psp', reason: 'bench' });
  });
}

async function writeWhole(writer: NewPaymentWriter, draft: NewPayment): Promise<void> {
  const key = randomUUID();
  const keyHash = sha256(key);
  const event = paymentEvent('PAYMENT_CREATED', newPaymentToPayment(draft));
  const outcome = await writer({
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
