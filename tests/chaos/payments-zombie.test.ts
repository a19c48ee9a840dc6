// F34 by the real signals: a process that is stopped past its lease and let go on finds its work taken over.
import { randomUUID } from 'node:crypto';
import { until } from '@strongroom/testkit';
import t, { type Test } from 'tap';
import { type FailpointName, spawnPayments } from '../../services/payments/test/child-process.ts';
import { type CrashScene, startCrashScene } from '../../services/payments/test/crash-steps.ts';
import { checkInvariants } from '../../services/payments/test/invariants.ts';
import { instantPayment, waitForStatus } from '../../services/payments/test/payments-fixture.ts';

t.setTimeout(180_000);

/** Long enough to be stopped in, and gone by when the lease is over. */
const pauseMs = 1_000;

const scene = await startCrashScene(t);

function spawnZombie({ nats, redis, ...around }: CrashScene, at: FailpointName) {
  return spawnPayments(around, nats.url, redis.url, `${at}=delay:${pauseMs}@1`);
}

/** Lets it go on, sees it answer, and waits until it has closed by itself, with everything that it had begun. */
async function resume(t: Test, zombie: Awaited<ReturnType<typeof spawnZombie>>): Promise<void> {
  zombie.signal('SIGCONT');
  await until(() => zombie.connect.listPayments({}, scene.as(scene.sender)));
  t.equal(await zombie.stop(), 0, 'it ends in order');
}

for (const at of ['payments.charge.before-psp', 'payments.charge.after-psp'] as const) {
  t.test(`F34: kill -STOP at ${at}, then -CONT: one effect, and the zombie's result is refused`, async (t) => {
    const { sender, recipient, survivor, superuser, sandbox } = scene;
    const zombie = await spawnZombie(scene, at);
    const { payment } = await zombie.connect.createPayment(instantPayment(recipient), scene.as(sender, randomUUID()));
    const id = payment?.id ?? '';
    const wasSent = () => at.endsWith('before-psp') || sandbox.journal(id).length > 0;
    await until(
      async () => wasSent() && (await superuser`select 1 from payments where id = ${id} and version > 1`).length,
    );
    zombie.signal('SIGSTOP');
    await scene.takeOver(async () => {
      await waitForStatus(survivor.connect, scene.as(sender), id, 'completed');
      await resume(t, zombie);
    });
    t.equal(sandbox.journal(id).filter(({ kind }) => kind === 'charge').length, 1, 'one effect');
    t.same(await checkInvariants(superuser, sandbox), [], 'I1–I5');
  });
}

t.test('F34: kill -STOP while a card is added, then -CONT: one method, and one answer for the key', async (t) => {
  const { survivor, superuser } = scene;
  const person = scene.auth.addPerson();
  const call = scene.as(person, 'card');
  const card = { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' };
  const request = { method: { case: 'card', value: card } } as const;
  const zombie = await spawnZombie(scene, 'payments.add-payment-method.after-claim');
  const stopped = zombie.connect.addPaymentMethod(request, call).then(
    ({ paymentMethod }) => paymentMethod?.id,
    () => undefined,
  );
  await until(async () => (await superuser`select 1 from idempotency_keys where user_id = ${person.id}`).length === 1);
  zombie.signal('SIGSTOP');
  const taken = await until(() => survivor.connect.addPaymentMethod(request, call), { timeoutMs: 60_000 });
  await resume(t, zombie);
  t.ok([undefined, taken.paymentMethod?.id].includes(await stopped), 'the zombie answers with the same or not at all');
  t.same(await survivor.grpc.addPaymentMethod(request, call), taken, 'the answer stands');
  const methods = await superuser`select 1 from payment_methods where user_id = ${person.id}`;
  t.equal(methods.length, 1);
});
