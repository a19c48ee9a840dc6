// F1–F3: the process is killed at each named step, and the same key is tried again over another protocol.
import { createTestNats, createTestRedis, until } from '@strongroom/testkit';
import t from 'tap';
import { spawnPayments } from './child-process.ts';
import { checkInvariants } from './invariants.ts';
import { callOptions, instantPayment, startSurroundings, waitForStatus } from './payments-fixture.ts';

const steps = [
  ['F3', 'payments.create.before-commit'],
  ['F1', 'payments.create.after-commit'],
  ['F2', 'payments.charge.before-psp'],
  ['F2', 'payments.charge.after-psp'],
  ['F2', 'payments.charge.after-result'],
  ['F1', 'payments.webhook.before-commit'],
  ['F1', 'payments.webhook.after-commit'],
] as const;

t.test('F1–F3: kill -9 at every step of create, then the same key over gRPC', async (t) => {
  const around = await startSurroundings(t);
  const nats = await createTestNats();
  const redis = await createTestRedis();
  around.closers.push(() => Promise.all([nats.close(), redis.close()]));
  const sender = around.auth.addPerson();
  const recipient = around.auth.addPerson();
  for (const [id, step] of steps) {
    const key = `crash-${step}`;
    const as = callOptions(around.tokens.token, sender, key);
    const doomed = await spawnPayments(around, nats.url, redis.url, `${step}=kill`);
    const first = doomed.connect.createPayment(instantPayment(recipient), as).then(
      ({ payment }) => payment?.id,
      () => undefined,
    );
    const { signal } = await doomed.exited;
    t.equal(signal, 'SIGKILL', `${id}: ${step} was hit`);
    const acknowledged = await first;

    const next = await spawnPayments(around, nats.url, redis.url);
    const { payment } = await until(() => next.grpc.createPayment(instantPayment(recipient), as), {
      timeoutMs: 20_000,
    });
    if (acknowledged !== undefined) t.equal(payment?.id, acknowledged, `${id}: ${step}: what was answered stands`);
    await waitForStatus(next.connect, as, payment?.id ?? '', 'completed');
    const made = await around.superuser`select id from payments where sender_id = ${sender.id} and description <> ''`;
    t.equal(made.length, steps.findIndex(([, name]) => name === step) + 1, `${id}: ${step}: one payment a key`);
    t.equal(around.sandbox.journal(payment?.id).filter(({ kind }) => kind === 'charge').length, 1, 'one effect');
    t.same(await checkInvariants(around.superuser, around.sandbox), [], `${id}: ${step}: I1–I5`);
    await next.stop();
  }
});
