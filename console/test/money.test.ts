import t from 'tap';
import { amountText, decimalText, formatMoney, parseMoney } from '../src/money/money.ts';

t.test('B-console: what a person types is whole minor units of the currency, or nothing', async (t) => {
  t.equal(parseMoney('12.50', 'EUR'), 1250n);
  t.equal(parseMoney('12,5', 'EUR'), 1250n);
  t.equal(parseMoney(' 7 ', 'JPY'), 7n);
  t.equal(parseMoney('1.234', 'KWD'), 1234n);
  for (const text of ['', '-1', '1.234', '1e3', '1.', '.5', '1 000', '0x10', '9999999999999']) {
    t.equal(parseMoney(text, 'EUR'), undefined, text);
  }
  t.equal(parseMoney('1.5', 'JPY'), undefined, 'yen have no smaller unit');
});

t.test('B-console: amounts beyond 2^53 are shown to the last digit', async (t) => {
  const huge = 900719925474099301n;
  t.equal(decimalText(huge, 2), '9007199254740993.01');
  t.match(formatMoney(huge, 'EUR').replaceAll(/\D/g, ''), /^900719925474099301$/);
  t.equal(decimalText(-5n, 2), '-0.05');
  for (const [code, text] of Object.entries({ EUR: '10.50', JPY: '1050', KWD: '1.050' })) {
    t.equal(amountText(1050n, code), text, code);
    t.equal(parseMoney(text, code), 1050n, `${code}, back`);
  }
});
