import { randomUUID } from 'node:crypto';
import { PaymentMethodKind } from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import t from 'tap';
import { instantPayment, type PaymentsFixture, startPayments, waitForStatus } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

const visa = { number: '4242424242424242', expMonth: 12, expYear: 2030, cvc: '123' };

function card(fields: Partial<typeof visa> = {}) {
  return { method: { case: 'card', value: { ...visa, ...fields } } } as const;
}

function account(iban: string) {
  return { method: { case: 'bankAccount', value: { iban, holderName: 'Ada Canaryholder' } } } as const;
}

/** Every value of every table, as a dump would hold it. */
async function dump(fixture: PaymentsFixture): Promise<string> {
  const tables = await fixture.superuser<{ name: string }[]>`
    select schemaname || '.' || tablename as name from pg_tables where schemaname in ('public', 'strongroom')`;
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await fixture.superuser.unsafe(`select to_jsonb(x)::text as row from ${name} x`);
      return rows.map(({ row }) => row).join('\n');
    }),
  );
  return texts.join('\n');
}

t.test('S4.3: a card goes in once and comes back masked; nothing in the database tells it', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  const { paymentMethod } = await connect.addPaymentMethod(card(), as(sender, 'card'));
  t.match(paymentMethod, { brand: 'visa', last4: '4242', expMonth: 12, expYear: 2030, kind: PaymentMethodKind.CARD });
  await connect.addPaymentMethod(account('DE89370400440532013000'), as(sender, 'iban'));
  const { paymentMethods } = await connect.listPaymentMethods({}, as(sender));
  t.same(paymentMethods.map(({ last4 }) => last4).sort(), ['3000', '4242']);
  const text = await dump(fixture);
  for (const secret of [visa.number, 'DE89370400440532013000', 'Canaryholder', 'pm_']) {
    const hex = Buffer.from(secret).toString('hex');
    t.notOk(text.includes(secret) || text.includes(hex), `${secret.slice(0, 4)}… stands nowhere`);
  }
  const request = { ...instantPayment(recipient), paymentMethodId: paymentMethod?.id ?? '' };
  const { payment } = await connect.createPayment(request, as(sender, 'pay'));
  await waitForStatus(connect, as(sender), payment?.id ?? '', 'completed');
  t.equal(
    await reasonOf(connect.createPayment(request, as(fixture.auth.addPerson(), 'theirs'))),
    'PAYMENT_METHOD_NOT_FOUND',
  );
});

t.test('S4.3: the card decides the payment, so its token reaches the provider', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  const { paymentMethod } = await connect.addPaymentMethod(card({ number: '4000000000000002' }), as(sender));
  const request = { ...instantPayment(recipient), paymentMethodId: paymentMethod?.id ?? '' };
  const { payment } = await connect.createPayment(request, as(sender, 'pay'));
  const failed = await waitForStatus(connect, as(sender), payment?.id ?? '', 'failed');
  t.equal(failed.failureCode, 'card_declined');
});

t.test('S4.3: what is no card or account is refused, and the verification code is kept nowhere', async (t) => {
  const fixture = await startPayments(t);
  const person = fixture.auth.addPerson();
  const add = (request: Parameters<typeof fixture.connect.addPaymentMethod>[0]) =>
    reasonOf(fixture.connect.addPaymentMethod(request, fixture.as(person, randomUUID())));
  t.equal(await add(card({ number: '4242424242424241' })), 'CARD_INVALID', 'check digit');
  t.equal(await add(card({ expYear: 2020 })), 'CARD_INVALID', 'past');
  t.equal(await add(card({ cvc: '1234' })), 'CARD_INVALID', 'a visa has three digits');
  t.equal(await add(card({ number: '378282246310005', cvc: '123' })), 'CARD_INVALID', 'an amex has four');
  t.equal(await add(card({ cvc: '000' })), 'CARD_REFUSED', 'the provider refuses it');
  t.equal(await add(account('DE89370400440532013001')), 'IBAN_INVALID');
  t.equal(await add(account('GB82WEST12345698765432')), 'none');
  t.equal(await add(card()), 'none');
  t.equal(await add(card()), 'PAYMENT_METHOD_EXISTS');
  const again = await fixture.connect.addPaymentMethod(
    card({ number: '5555555555554444' }),
    fixture.as(person, 'same'),
  );
  const other = { ...card({ number: '5555555555554444' }), requestId: 'same' };
  other.method.value.cvc = '999';
  t.same(
    await fixture.connect.addPaymentMethod(other, fixture.as(person)),
    again,
    'nothing stored depends on the code',
  );
});

t.test('S4.3: a ciphertext that is copied to another row does not open', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  const { connect, as } = fixture;
  const own = await connect.addPaymentMethod(card(), as(sender));
  const other = await connect.addPaymentMethod(card({ number: '5555555555554444' }), as(recipient));
  await fixture.superuser`
    update payment_methods set psp_token = (select psp_token from payment_methods where id = ${other.paymentMethod?.id ?? ''})
    where id = ${own.paymentMethod?.id ?? ''}`;
  const request = { ...instantPayment(recipient), paymentMethodId: own.paymentMethod?.id ?? '' };
  const { payment } = await connect.createPayment(request, as(sender, 'swapped'));
  await waitForStatus(connect, as(sender), payment?.id ?? '', 'processing');
  t.same(fixture.sandbox.journal(payment?.id), [], 'the other card is not charged');
});

t.test('contract: a removed method is gone, masked traces stay, and the card can be added again', async (t) => {
  const fixture = await startPayments(t);
  const person = fixture.auth.addPerson();
  const { connect, as } = fixture;
  const { paymentMethod } = await connect.addPaymentMethod(card(), as(person));
  const id = paymentMethod?.id ?? '';
  await connect.removePaymentMethod({ id }, as(person));
  t.equal(await reasonOf(connect.removePaymentMethod({ id }, as(person))), 'PAYMENT_METHOD_NOT_FOUND');
  const [row] = await fixture.superuser`select number, number_index, psp_token, last4 from payment_methods`;
  t.match(row, { number: null, number_index: null, psp_token: null, last4: '4242' });
  t.equal(await reasonOf(connect.addPaymentMethod(card(), as(person))), 'none');
});

t.test('S4.3: a card number in any other field is refused', async (t) => {
  const fixture = await startPayments(t);
  const { sender, recipient } = await fixture.pair();
  const texts: { description: string; metadata?: Record<string, string> }[] = [
    { description: `my card 4242 4242 4242 4242` },
    { description: 'x', metadata: { card: '4242-4242-4242-4242' } },
    { description: 'x', metadata: { '4242424242424242': 'x' } },
  ];
  for (const fields of texts) {
    const request = { ...instantPayment(recipient), ...fields };
    const call = fixture.as(sender, randomUUID());
    t.equal(await reasonOf(fixture.connect.createPayment(request, call)), 'CARD_NUMBER_NOT_ALLOWED');
  }
});
