// F1 by its letter: 200 processes of payments die by kill -9 between commit and reply, some at a time, each under a payment
// of its own; the same key then is answered with that payment, as a repetition.
import { randomUUID } from 'node:crypto';
import { until } from '@strongroom/testkit';
import t from 'tap';
import { spawnPayments } from '../../services/payments/test/child-process.ts';
import { type CrashScene, startCrashScene } from '../../services/payments/test/crash-steps.ts';
import { checkInvariants } from '../../services/payments/test/invariants.ts';
import { instantPayment } from '../../services/payments/test/payments-fixture.ts';

t.setTimeout(590_000);

const killsCount = 200;
const lanesCount = 4;
/** A survivor takes over what the dead have left: leases, and the provider's messages that reached nobody. */
const settledTimeoutMs = 120_000;

/** Kills one process after the commit of its first payment. Answers what is wrong about the repetition. */
async function killOnce(scene: CrashScene): Promise<string[]> {
  const { nats, redis, sender, recipient, survivor, superuser, ...around } = scene;
  const call = scene.as(sender, randomUUID());
  const request = instantPayment(recipient);
  const doomed = await spawnPayments(
    { ...around, superuser },
    nats.url,
    redis.url,
    'payments.create.after-commit=kill',
  );
  const lost = doomed.connect.createPayment(request, call).then(
    () => ['it was answered'],
    () => [],
  );
  const { signal } = await doomed.exited;
  const found: string[] = await lost;
  if (signal !== 'SIGKILL') found.push(`it ended by ${signal}`);
  let isReplayed = false;
  const onHeader = (header: Headers) => {
    isReplayed = header.get('idempotency-replayed') === 'true';
  };
  const { payment } = await until(() => survivor.grpc.createPayment(request, { ...call, onHeader }));
  if (!isReplayed) found.push(`payment ${payment?.id} is no repetition`);
  return found;
}

t.test('F1: 200 times kill -9 between commit and reply: the same key is answered with the one payment', async (t) => {
  const scene = await startCrashScene(t);
  const { sender, sandbox, superuser } = scene;
  const broken: string[] = [];
  let left = killsCount;
  const lane = async () => {
    for (; left > 0; ) {
      left -= 1;
      broken.push(...(await killOnce(scene)));
    }
  };
  await Promise.all(Array.from({ length: lanesCount }, lane));
  t.same(broken, [], 'each died, and each repetition is one');
  const made = await superuser`select 1 from payments where sender_id = ${sender.id}`;
  t.equal(made.length, killsCount, 'one payment a key');
  const isSettled = async () => (await superuser`select 1 from psp_tasks limit 1`).length === 0;
  await scene.takeOver(() => until(isSettled, { timeoutMs: settledTimeoutMs, what: 'nothing being left to do' }));
  const completed = await superuser`select 1 from payments where status = 'completed'`;
  t.equal(completed.length, killsCount, 'all are completed');
  t.same(await checkInvariants(superuser, sandbox), [], 'I1–I5');
});
