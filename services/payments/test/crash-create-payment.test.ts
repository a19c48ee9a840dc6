// F1–F3: the process is killed at each named step of create, and the same key is tried again over another protocol.
import { until } from '@strongroom/testkit';
import t from 'tap';
import type { FailpointName } from './child-process.ts';
import { startCrashScene } from './crash-fixture.ts';
import { checkInvariants } from './invariants.ts';
import { instantPayment, waitForStatus } from './payments-fixture.ts';

const steps: readonly (readonly [string, FailpointName])[] = [
  ['F3', 'payments.create.before-commit'],
  ['F1', 'payments.create.after-commit'],
  ['F2', 'payments.charge.before-psp'],
  ['F2', 'payments.charge.after-psp'],
  ['F2', 'payments.charge.after-result'],
  ['F1', 'payments.webhook.before-commit'],
  ['F1', 'payments.webhook.after-commit'],
];

t.test('F1–F3: kill -9 at every step of create, then the same key over gRPC: one payment', async (t) => {
  const around = await startCrashScene(t);
  const { sender, recipient, as } = around;
  for (const [index, [id, step]] of steps.entries()) {
    const call = as(sender, `crash-${step}`);
    const doomed = await around.doomed(step);
    const first = doomed.connect.createPayment(instantPayment(recipient), call).then(
      ({ payment }) => payment?.id,
      () => undefined,
    );
    t.equal((await doomed.exited).signal, 'SIGKILL', `${id}: ${step} was hit`);
    const acknowledged = await first;

    const next = await around.takeOver();
    const { payment } = await until(() => next.grpc.createPayment(instantPayment(recipient), call));
    if (acknowledged !== undefined) t.equal(payment?.id, acknowledged, `${id}: ${step}: what was answered stands`);
    await waitForStatus(next.connect, call, payment?.id ?? '', 'completed');
    const made = await around.superuser`select id from payments where sender_id = ${sender.id}`;
    t.equal(made.length, index + 1, `${id}: ${step}: one payment a key`);
    t.equal(around.sandbox.journal(payment?.id).filter(({ kind }) => kind === 'charge').length, 1, 'one effect');
    t.same(await checkInvariants(around.superuser, around.sandbox), [], `${id}: ${step}: I1–I5`);
    await next.close();
  }
});
