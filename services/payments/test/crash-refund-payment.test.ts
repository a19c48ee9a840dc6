// F1–F3: the process is killed at each named step of refund and cancel, and the same key is tried again over gRPC.
import { until } from '@strongroom/testkit';
import t from 'tap';
import type { FailpointName } from './child-process.ts';
import { startCrashScene } from './crash-fixture.ts';
import { checkInvariants } from './invariants.ts';
import { instantPayment, waitForStatus } from './payments-fixture.ts';

const refundSteps: readonly (readonly [string, FailpointName])[] = [
  ['F3', 'payments.refund.before-commit'],
  ['F1', 'payments.refund.after-commit'],
  ['F2', 'payments.refund.before-psp'],
  ['F2', 'payments.refund.after-psp'],
];
const cancelSteps: readonly (readonly [string, FailpointName])[] = [
  ['F3', 'payments.cancel.before-commit'],
  ['F1', 'payments.cancel.after-commit'],
];

t.test('F1–F3: kill -9 at every step of refund, then the same key over gRPC: one refund', async (t) => {
  const around = await startCrashScene(t);
  const { sender, recipient, as } = around;
  for (const [id, step] of refundSteps) {
    const before = await around.takeOver();
    const { payment } = await before.connect.createPayment(instantPayment(recipient), as(sender, `for-${step}`));
    const paid = await waitForStatus(before.connect, as(sender), payment?.id ?? '', 'completed');
    await before.close();

    const doomed = await around.doomed(step);
    const request = { id: paid.id, amount: { currencyCode: 'EUR', minorUnits: 50n } };
    const lost = doomed.connect.refundPayment(request, as(recipient, `crash-${step}`)).catch(() => undefined);
    t.equal((await doomed.exited).signal, 'SIGKILL', `${id}: ${step} was hit`);
    await lost;

    const next = await around.takeOver();
    await until(() => next.grpc.refundPayment(request, as(recipient, `crash-${step}`)));
    const refunded = await waitForStatus(next.connect, as(sender), paid.id, 'partially_refunded');
    t.equal(refunded.refundedAmount?.minorUnits, 50n, `${id}: ${step}: refunded once`);
    t.same(await checkInvariants(around.superuser, around.sandbox), [], `${id}: ${step}: I1–I5`);
    await next.close();
  }
});

t.test('F1–F3: kill -9 at every step of cancel, then the same key over gRPC: cancelled once', async (t) => {
  const around = await startCrashScene(t);
  const { sender, recipient, as } = around;
  const scheduledAt = { seconds: BigInt(Math.floor(Date.now() / 1000) + 86_400), nanos: 0 };
  for (const [id, step] of cancelSteps) {
    const doomed = await around.doomed(step);
    const { payment } = await doomed.connect.createPayment(
      { ...instantPayment(recipient), type: 2, scheduledAt },
      as(sender, `for-${step}`),
    );
    const request = { id: payment?.id ?? '', reason: 'changed my mind' };
    const lost = doomed.connect.cancelPayment(request, as(sender, `crash-${step}`)).catch(() => undefined);
    t.equal((await doomed.exited).signal, 'SIGKILL', `${id}: ${step} was hit`);
    await lost;

    const next = await around.takeOver();
    await until(() => next.grpc.cancelPayment(request, as(sender, `crash-${step}`)));
    await waitForStatus(next.connect, as(sender), request.id, 'cancelled');
    t.same(await checkInvariants(around.superuser, around.sandbox), [], `${id}: ${step}: I1–I5`);
    await next.close();
  }
});
