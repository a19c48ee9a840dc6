// What the crash tests share: neighbours, two people, a process that dies at a step, and another that takes over.
import { createTestNats, createTestRedis } from '@strongroom/testkit';
import { type FailpointName, spawnPayments } from './child-process.ts';
import { callOptions, startInstance, startSurroundings } from './payments-fixture.ts';

export async function startCrashScene(t: Parameters<typeof startSurroundings>[0]) {
  const around = await startSurroundings(t);
  const nats = await createTestNats();
  const redis = await createTestRedis();
  around.closers.push(() => Promise.all([nats.close(), redis.close()]));
  const sender = around.auth.addPerson();
  const recipient = around.auth.addPerson();
  const as = (person: typeof sender, key?: string) => callOptions(around.tokens.token, person, key);
  /** Another instance takes over when the first is gone. */
  const takeOver = async () => {
    const instance = await startInstance(around, {});
    around.receiver.client = instance.connect;
    return instance;
  };
  const doomed = (step: FailpointName) => spawnPayments(around, nats.url, redis.url, `${step}=kill`);
  return { ...around, sender, recipient, as, takeOver, doomed };
}
