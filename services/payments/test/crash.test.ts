// F1–F3 at the three steps where most can go wrong: answered to nobody, paid but not recorded, given back but not sent.
import t from 'tap';
import { crashAt, crashSteps, startCrashScene } from './crash-steps.ts';

const sampled = ['payments.create.after-commit', 'payments.charge.after-psp', 'payments.refund.before-psp'];

t.test('F1–F3: kill -9 in the middle of a write, then the same key over gRPC: everything once', async (t) => {
  const scene = await startCrashScene(t);
  for (const step of crashSteps.filter(({ at }) => sampled.includes(at))) await crashAt(t, scene, step);
});
