// S2.3: whole minor units and the right exponent for every currency, and no floating-point number anywhere.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { PaymentType } from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { readServiceError } from '@strongroom/platform/errors';
import { data } from 'currency-codes';
import fc from 'fast-check';
import t from 'tap';
import { currencies } from '../src/money/currency.ts';
import { amountBounds, requireAmount } from '../src/money/money.ts';
import { amountToStripe, stripeToAmount } from '../src/psp/stripe-amount.ts';
import { startPayments } from './payments-fixture.ts';
import { reasonOf } from './refusal.ts';

const protoMax = 10_000_000_000n;

t.test('S2.3: every currency of ISO 4217 has its exponent, and its bounds hold', (t) => {
  const known = { JPY: 0, KRW: 0, CLP: 0, VND: 0, USD: 2, EUR: 2, INR: 2, MGA: 2, KWD: 3, BHD: 3, TND: 3, IQD: 3 };
  for (const [code, exponent] of Object.entries(known)) t.equal(currencies.get(code)?.exponent, exponent, code);
  for (const { code, digits } of data) {
    const currency = currencies.get(code);
    if (currency === undefined) {
      t.throws(() => requireAmount({ currencyCode: code, minorUnits: 100n }), /no currency/, `${code} is no money`);
      continue;
    }
    t.equal(currency.exponent, digits, `${code} has ${digits} digits`);
    const { min, max } = amountBounds(currency);
    // 0.01 and 10,000,000.00 of the major unit, counted the long way round.
    const scale = 10n ** BigInt(digits);
    t.equal(max, 10_000_000n * scale, `${code}: at most 10,000,000`);
    t.ok(min * 100n >= scale || (min === 1n && digits < 2), `${code}: at least 0.01, or its smallest unit`);
    t.ok(max <= protoMax, `${code}: what the field allows`);
    t.equal(requireAmount({ currencyCode: code, minorUnits: min }).minorUnits, min);
    t.equal(requireAmount({ currencyCode: code, minorUnits: max }).minorUnits, max);
    for (const outside of [min - 1n, max + 1n, -1n, 2n ** 63n - 1n]) {
      t.throws(() => requireAmount({ currencyCode: code, minorUnits: outside }), /between/, `${code} ${outside}`);
    }
  }
  t.ok(currencies.size > 150, `${currencies.size} currencies`);
  for (const code of ['XAU', 'XDR', 'XTS', 'CLF', 'EURO', 'eur', '']) {
    t.throws(() => requireAmount({ currencyCode: code, minorUnits: 100n }), /no currency/, code);
  }
  t.end();
});

t.test('S2.3: what leaves for Stripe comes back as the same amount', (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...currencies.keys()), fc.bigInt({ min: 1n, max: protoMax }), (code, minorUnits) => {
      const sent = amountToStripe(code, minorUnits);
      return sent === undefined || (Number.isSafeInteger(sent) && stripeToAmount(code, sent) === minorUnits);
    }),
    { numRuns: 2_000 },
  );
  t.equal(amountToStripe('JPY', 500n), 500);
  t.equal(amountToStripe('UGX', 500n), 50_000);
  t.equal(amountToStripe('KWD', 1_055n), undefined, 'three digits go in tens');
  t.end();
});

t.test('S2.3: JSON takes integers as numbers and texts, and nothing else', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const url = `${fixture.baseUrl}/strongroom.payments.v1.PaymentsService/CreatePayment`;
  const post = async (minorUnits: unknown, currencyCode: unknown = 'EUR') => {
    const body = {
      type: 'PAYMENT_TYPE_INSTANT',
      amount: { currencyCode, minorUnits },
      recipientId: recipient.id,
      description: 'x',
    };
    const text = JSON.stringify(body).replace('"9223372036854775808n"', '9223372036854775808');
    const { headers } = fixture.as(sender, randomUUID());
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: text,
    });
    return answer.status;
  };
  for (const good of [1050, '1050', 1e3]) t.equal(await post(good), 200, `${good}`);
  t.equal(await post(100, ' eur '), 200, 'codes are trimmed and upper-cased');
  const bad = [10.5, '10.5', -1, 0, 'NaN', 'Infinity', null, true, '9223372036854775808', '9223372036854775808n', []];
  for (const each of bad) t.equal(await post(each), 400, `${JSON.stringify(each)}`);
  t.equal(await post(1050, 'ABC'), 400);
});

t.test('S2.3: a payment in a currency without money is refused, whatever the type of it', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const request = (currencyCode: string, minorUnits: bigint) => ({
    type: PaymentType.INSTANT,
    amount: { currencyCode, minorUnits },
    recipientId: recipient.id,
    description: 'x',
  });
  const ask = (code: string, amount: bigint) =>
    reasonOf(fixture.connect.createPayment(request(code, amount), fixture.as(sender, `${code}-${amount}`)));
  t.equal(await ask('XAU', 100n), 'CURRENCY_NOT_SUPPORTED');
  t.equal(await ask('KWD', 9n), 'AMOUNT_OUT_OF_RANGE');
  t.equal(await ask('KWD', 10n), 'none');
  t.equal(await ask('JPY', 10_000_001n), 'AMOUNT_OUT_OF_RANGE');
  t.equal(await ask('EUR', 1_000_000_001n), 'AMOUNT_OUT_OF_RANGE');
  t.equal(await ask('EUR', 1_000_000_000n), 'none');
});

t.test('S2.1: an amount, a currency or a recipient that is refused is named as a field', async (t) => {
  const fixture = await startPayments(t, { workers: false });
  const { sender, recipient } = await fixture.pair();
  const request = (currencyCode: string, minorUnits: bigint, recipientId: string) => ({
    type: PaymentType.INSTANT,
    amount: { currencyCode, minorUnits },
    recipientId,
    description: 'x',
  });
  const cases: [field: string, refused: ReturnType<typeof request>][] = [
    ['amount.currency_code', request('XAU', 100n, recipient.id)],
    ['amount.minor_units', request('JPY', 10_000_001n, recipient.id)],
    ['recipient_id', request('EUR', 100n, sender.id)],
    ['description', { ...request('EUR', 100n, recipient.id), description: 'of 4242 4242 4242 4242' }],
  ];
  for (const [field, refused] of cases) {
    const error = await fixture.connect.createPayment(refused, fixture.as(sender, field)).catch((reason) => reason);
    t.match(readServiceError(error)?.violations, [{ field, rule: /./, message: /./ }], field);
  }
});

t.test('S2.3, fault 26: no field of the contract and no line of the domain is a floating-point number', (t) => {
  const seen = new Set<DescMessage>();
  const walk = (message: DescMessage) => {
    if (seen.has(message)) return;
    seen.add(message);
    for (const field of message.fields) {
      t.notOk(
        field.scalar === ScalarType.FLOAT || field.scalar === ScalarType.DOUBLE,
        `${message.typeName}.${field.name}`,
      );
      if (field.message !== undefined) walk(field.message);
    }
  };
  for (const { input, output } of PaymentsService.methods) for (const message of [input, output]) walk(message);
  const source = join(import.meta.dirname, '..', 'src');
  for (const noun of ['money', 'payment', 'refund', 'ledger', 'report']) {
    for (const file of readdirSync(join(source, noun))) {
      const text = readFileSync(join(source, noun, file), 'utf8');
      t.notMatch(
        text,
        /parseFloat|toFixed|toPrecision|Number\((?!minorUnits\), \{ currency)/,
        `${noun}/${file} makes no float`,
      );
    }
  }
  const migrations = join(source, '..', 'migrations');
  for (const file of readdirSync(migrations).filter((name) => name.endsWith('.sql'))) {
    t.notMatch(
      readFileSync(join(migrations, file), 'utf8'),
      /\b(real|double precision|float\d?|money)\s*(,|not|default)/i,
      file,
    );
  }
  t.end();
});
