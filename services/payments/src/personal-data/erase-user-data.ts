import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  EraseUserDataRequest,
  EraseUserDataResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/personal_data_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { paymentEvent } from '../payment/payment-event.ts';
import { changeStatus, lockPayment } from '../payment/payment-store.ts';
import { deleteTask } from '../psp/psp-task-store.ts';
import { eraseHoldings, eraseTexts, listUnsentPayments } from './personal-data-store.ts';

const reason = 'The account of a party was erased.';

/** Withdraws what hasn't been sent, then erases. Once it is done a repetition finds nothing to do, and says so too. */
export async function eraseUserData(
  { database, signals, staleReads }: Pick<Deps, 'database' | 'signals' | 'staleReads'>,
  { userId }: EraseUserDataRequest,
  call: Call,
): Promise<MessageInitShape<typeof EraseUserDataResponseSchema>> {
  const act = actOf(call);
  await database.transaction(act, async (tx) => {
    for (const id of await listUnsentPayments(tx, userId)) {
      const payment = await lockPayment(tx, id);
      if (payment?.status !== 'pending') continue;
      const facts = { actorId: null, actorKind: 'user', reason } as const;
      const cancelled = await changeStatus(tx, payment, { status: 'cancelled' }, facts);
      await deleteTask(tx, id);
      await appendEvent(tx, act, paymentEvent('PAYMENT_CANCELLED', cancelled, { reason }));
    }
    const readers = await eraseTexts(tx, userId);
    await eraseHoldings(tx, userId);
    await Promise.all([...new Set([userId, ...readers])].map((reader) => staleReads.forget(reader)));
    await appendEvent(tx, act, { action: 'DATA_ERASED', resourceType: 'user', resourceId: userId, subjectId: userId });
  });
  signals.raise('payment-changed');
  return {};
}
