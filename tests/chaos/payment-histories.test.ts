import t from 'tap';
import { runHistories } from '../../services/payments/test/concurrent-histories.ts';

t.setTimeout(590_000);

t.test('F19, F37, I1–I5: of 1,000 random histories at once each ends as its answers said', (t) =>
  runHistories(t, { count: 1_000, seed: Math.trunc(Math.random() * 2 ** 31) }),
);
