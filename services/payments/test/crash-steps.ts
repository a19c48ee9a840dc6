// kill -9 at a named step, and the same key again over another protocol: what F1–F3 ask of every write of money. A few
// steps run in npm test, all of them in tests/chaos.
import { randomUUID } from 'node:crypto';
import { PaymentStatus, PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { createTestNats, createTestRedis, until } from '@strongroom/testkit';
import type { Test } from 'tap';
import { createWorkers } from '../src/workers.ts';
import { type FailpointName, spawnPayments } from './child-process.ts';
import { checkInvariants } from './invariants.ts';
import { callOptions, instantPayment, startInstance, startSurroundings, waitForStatus } from './payments-fixture.ts';

export interface CrashStep {
  readonly fault: 'F1' | 'F2' | 'F3';
  readonly write: 'create' | 'refund' | 'cancel' | 'schedule';
  readonly at: FailpointName;
}

export const crashSteps: readonly CrashStep[] = [
  { fault: 'F3', write: 'create', at: 'payments.create.before-commit' },
  { fault: 'F1', write: 'create', at: 'payments.create.after-commit' },
  { fault: 'F2', write: 'create', at: 'payments.charge.before-psp' },
  { fault: 'F2', write: 'create', at: 'payments.charge.after-psp' },
  { fault: 'F2', write: 'create', at: 'payments.charge.after-result' },
  { fault: 'F1', write: 'create', at: 'payments.webhook.before-commit' },
  { fault: 'F1', write: 'create', at: 'payments.webhook.after-commit' },
  { fault: 'F3', write: 'refund', at: 'payments.refund.before-commit' },
  { fault: 'F1', write: 'refund', at: 'payments.refund.after-commit' },
  { fault: 'F2', write: 'refund', at: 'payments.refund.before-psp' },
  { fault: 'F2', write: 'refund', at: 'payments.refund.after-psp' },
  { fault: 'F2', write: 'refund', at: 'payments.refund.after-result' },
  { fault: 'F1', write: 'refund', at: 'payments.webhook.before-commit' },
  { fault: 'F1', write: 'refund', at: 'payments.webhook.after-commit' },
  { fault: 'F3', write: 'cancel', at: 'payments.cancel.before-commit' },
  { fault: 'F1', write: 'cancel', at: 'payments.cancel.after-commit' },
  { fault: 'F3', write: 'schedule', at: 'payments.schedule.before-commit' },
  { fault: 'F1', write: 'schedule', at: 'payments.schedule.after-commit' },
];

/** Sends a write again over REST; answers the id of what it made. Given where a gateway runs. */
export interface RestCaller {
  createPayment(token: string, key: string, recipientId: string): Promise<string>;
  refundPayment(token: string, key: string, paymentId: string): Promise<string>;
  cancelPayment(token: string, key: string, paymentId: string, reason: string): Promise<string>;
}

export type CrashScene = Awaited<ReturnType<typeof startCrashScene>>;

const refundedMinorUnits = 50n;

/** Neighbours, two people, a survivor that answers all the time, and processes that die one after the other. */
export async function startCrashScene(t: Test) {
  const around = await startSurroundings(t);
  const nats = await createTestNats();
  const redis = await createTestRedis();
  around.closers.push(() => Promise.all([nats.close(), redis.close()]));
  const survivor = await startInstance(around, { workers: false });
  around.closers.push(() => survivor.close());
  const sender = around.auth.addPerson();
  const recipient = around.auth.addPerson();
  return {
    ...around,
    nats,
    redis,
    survivor,
    sender,
    recipient,
    rest: undefined as RestCaller | undefined,
    as: (person: typeof sender, key?: string) => callOptions(around.tokens.token, person, key),
    /** Runs the survivor's workers while `work` goes on; otherwise the process that is to die has all the work. */
    async takeOver<T>(work: () => Promise<T>): Promise<T> {
      around.receiver.client = survivor.connect;
      const workers = createWorkers(survivor.deps);
      workers.start();
      return work().finally(() => workers.stop());
    },
  };
}

/** One step: kill, repeat, and look whether everything is there exactly once. */
export async function crashAt(t: Test, scene: CrashScene, step: CrashStep): Promise<void> {
  const what = `${step.fault}: ${step.write} at ${step.at}`;
  await writes[step.write](t, scene, step, what);
  t.same(await checkInvariants(scene.superuser, scene.sandbox), [], `${what}: I1–I5`);
}

type Write = (t: Test, scene: CrashScene, step: CrashStep, what: string) => Promise<void>;

const writes: Readonly<Record<CrashStep['write'], Write>> = { create, refund, cancel, schedule };

function spawnDoomed({ nats, redis, ...around }: CrashScene, { at }: CrashStep) {
  return spawnPayments(around, nats.url, redis.url, `${at}=kill`);
}

async function create(t: Test, scene: CrashScene, step: CrashStep, what: string): Promise<void> {
  const { sender, recipient, survivor } = scene;
  const key = randomUUID();
  const call = scene.as(sender, key);
  const doomed = await spawnDoomed(scene, step);
  const lost = doomed.connect.createPayment(instantPayment(recipient), call).then(
    ({ payment }) => payment?.id,
    () => undefined,
  );
  t.equal((await doomed.exited).signal, 'SIGKILL', `${what} was hit`);
  const acknowledged = await lost;
  await scene.takeOver(async () => {
    const { payment } = await until(() => survivor.grpc.createPayment(instantPayment(recipient), call));
    const id = payment?.id ?? '';
    if (acknowledged !== undefined) t.equal(id, acknowledged, `${what}: what was answered stands`);
    if (scene.rest !== undefined) {
      t.equal(
        await scene.rest.createPayment(call.headers['authorization'] ?? '', key, recipient.id),
        id,
        `${what}: REST`,
      );
    }
    await waitForStatus(survivor.connect, call, id, 'completed');
    const effects = scene.sandbox.journal(id).filter(({ kind }) => kind === 'charge');
    t.equal(effects.length, 1, `${what}: one effect`);
  });
  const keys = await scene.superuser`select 1 from idempotency_keys where user_id = ${sender.id}`;
  const made = await scene.superuser`select 1 from payments where sender_id = ${sender.id} and type = 'instant'`;
  t.equal(made.length, keys.length, `${what}: one payment a key`);
}

async function refund(t: Test, scene: CrashScene, step: CrashStep, what: string): Promise<void> {
  const { sender, recipient, survivor } = scene;
  const paid = await scene.takeOver(async () => {
    const { payment } = await survivor.connect.createPayment(instantPayment(recipient), scene.as(sender, randomUUID()));
    return waitForStatus(survivor.connect, scene.as(sender), payment?.id ?? '', 'completed');
  });
  const key = randomUUID();
  const call = scene.as(recipient, key);
  const request = { id: paid.id, amount: { currencyCode: 'EUR', minorUnits: refundedMinorUnits } };
  const doomed = await spawnDoomed(scene, step);
  const lost = doomed.connect.refundPayment(request, call).catch(() => undefined);
  t.equal((await doomed.exited).signal, 'SIGKILL', `${what} was hit`);
  await lost;
  await scene.takeOver(async () => {
    const { refund: made } = await until(() => survivor.grpc.refundPayment(request, call));
    if (scene.rest !== undefined) {
      const again = await scene.rest.refundPayment(call.headers['authorization'] ?? '', key, paid.id);
      t.equal(again, made?.id, `${what}: REST`);
    }
    const refunded = await waitForStatus(survivor.connect, scene.as(sender), paid.id, 'partially_refunded');
    t.equal(refunded.refundedAmount?.minorUnits, refundedMinorUnits, `${what}: given back once`);
  });
}

async function pendingPayment({ survivor, sender, recipient, as }: CrashScene, inSeconds: number): Promise<string> {
  const scheduledAt = { seconds: BigInt(Math.ceil(Date.now() / 1_000) + inSeconds), nanos: 0 };
  const request = { ...instantPayment(recipient), type: PaymentType.SCHEDULED, scheduledAt };
  const { payment } = await survivor.connect.createPayment(request, as(sender, randomUUID()));
  return payment?.id ?? '';
}

async function cancel(t: Test, scene: CrashScene, step: CrashStep, what: string): Promise<void> {
  const { sender, survivor } = scene;
  const id = await pendingPayment(scene, 86_400);
  const key = randomUUID();
  const call = scene.as(sender, key);
  const request = { id, reason: 'changed my mind' };
  const doomed = await spawnDoomed(scene, step);
  const lost = doomed.connect.cancelPayment(request, call).catch(() => undefined);
  t.equal((await doomed.exited).signal, 'SIGKILL', `${what} was hit`);
  await lost;
  const answer = await until(() => survivor.grpc.cancelPayment(request, call));
  t.match(answer.payment, { status: PaymentStatus.CANCELLED, etag: 'v2' }, `${what}: cancelled once`);
  t.same(await survivor.connect.cancelPayment(request, call), answer, `${what}: Connect`);
  if (scene.rest !== undefined) {
    const again = await scene.rest.cancelPayment(call.headers['authorization'] ?? '', key, id, request.reason);
    t.equal(again, id, `${what}: REST`);
  }
}

async function schedule(t: Test, scene: CrashScene, step: CrashStep, what: string): Promise<void> {
  const { sender, survivor } = scene;
  const id = await pendingPayment(scene, 0);
  const doomed = await spawnDoomed(scene, step);
  t.equal((await doomed.exited).signal, 'SIGKILL', `${what} was hit`);
  await scene.takeOver(() => waitForStatus(survivor.connect, scene.as(sender), id, 'completed'));
  const effects = scene.sandbox.journal(id).filter(({ kind }) => kind === 'charge');
  t.equal(effects.length, 1, `${what}: run once`);
}
