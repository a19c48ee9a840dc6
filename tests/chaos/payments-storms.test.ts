import t from 'tap';
import { stormOfOne, stormOfTwo } from '../../services/payments/test/key-storms.ts';
import { startPayments } from '../../services/payments/test/payments-fixture.ts';

t.setTimeout(300_000);

const fixture = await startPayments(t, { instances: 2 });

t.test('F19: 1,000 identical requests at once at two instances are one payment, and every answer is its', (t) =>
  stormOfOne(t, fixture, 1_000),
);

t.test('F20: of 1,000 requests with one key and two bodies one body wins, all of the other are refused', (t) =>
  stormOfTwo(t, fixture, 1_000),
);
