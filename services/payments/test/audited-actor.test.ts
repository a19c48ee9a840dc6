import { randomUUID } from 'node:crypto';
import { fromBinary } from '@bufbuild/protobuf';
import { AuditEventSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import { PaymentStatus, PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import t from 'tap';
import { instantPayment, startPayments } from './payments-fixture.ts';

const fixture = await startPayments(t);

/** The events of a payment as they leave for the audit log, the oldest first. */
async function eventsOf(paymentId: string) {
  const rows = await fixture.superuser`
    select payload from strongroom.outbox where name like 'PAYMENT%' order by order_id`;
  return rows
    .map((row) => ({ payload: row['payload'] as Buffer, event: fromBinary(AuditEventSchema, row['payload']) }))
    .filter(({ event }) => event.resourceId === paymentId);
}

t.test('fault 37: whoever acted is the actor, the payer is the subject, and nothing personal is copied', async (t) => {
  const { connect, as } = fixture;
  const { sender, recipient } = await fixture.pair();
  const admin = fixture.auth.addPerson({ role: 'ADMIN' });
  const scheduledAt = { seconds: BigInt(Math.floor(Date.now() / 1_000) + 86_400), nanos: 0 };
  const { recipientId: _, ...other } = instantPayment(recipient);
  const description = 'Rent of the house by the lake';
  const request = { ...other, type: PaymentType.SCHEDULED, scheduledAt, recipientEmail: recipient.email, description };
  const { payment } = await connect.createPayment(request, as(sender, randomUUID()));
  const id = payment?.id ?? '';
  await connect.updatePayment({ id, description: `${description}, December` }, as(admin));
  await connect.setPaymentStatus({ id, status: PaymentStatus.FAILED, reason: 'fraud' }, as(admin));
  const events = await eventsOf(id);
  t.match(
    events.map(({ event }) => event),
    [
      { action: 'PAYMENT_CREATED', actorId: sender.id, actorKind: 'user', subjectId: sender.id },
      { action: 'PAYMENT_UPDATED', actorId: admin.id, actorKind: 'user', subjectId: sender.id },
      { action: 'PAYMENT_FAILED', actorId: admin.id, actorKind: 'user', subjectId: sender.id },
    ],
  );
  for (const { payload, event } of events) {
    for (const personal of [sender.email, recipient.email, 'house by the lake']) {
      t.notOk(payload.includes(personal), `${event.action} holds no ${personal}`);
    }
  }
});
