import type { BankAccount, Card } from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import valid from 'card-validator';
import { errors } from '../errors.ts';

/** What may be known of a method once its number is sealed. */
export interface MaskedMethod {
  readonly kind: 'card' | 'bank_account';
  readonly brand: string;
  readonly last4: string;
  readonly expMonth: number | null;
  readonly expYear: number | null;
}

const cvcLengthDefault = 3;

/** Check digit, brand, length of the verification code, and an expiry that isn't past. */
export function requireCard(card: Card): MaskedMethod {
  const number = valid.number(card.number);
  if (!number.isValid || number.card === null) throw invalidCard('card.number');
  const expiry = valid.expirationDate({ month: String(card.expMonth), year: String(card.expYear) });
  if (!expiry.isValid) throw invalidCard('card.exp_month');
  const size = number.card.code.size || cvcLengthDefault;
  if (!valid.cvv(card.cvc, size).isValid) throw invalidCard('card.cvc');
  return {
    kind: 'card',
    brand: number.card.type,
    last4: card.number.slice(-4),
    expMonth: card.expMonth,
    expYear: card.expYear,
  };
}

const ibanModulus = 97n;
const ibanRemainder = 1n;

/** ISO 13616: the country and check digits moved to the end, letters as numbers, the remainder by 97 is 1. */
export function requireBankAccount({ iban }: BankAccount): MaskedMethod {
  const digits = `${iban.slice(4)}${iban.slice(0, 4)}`.replace(/[A-Z]/g, (letter) => String(parseInt(letter, 36)));
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban) || BigInt(digits) % ibanModulus !== ibanRemainder) {
    throw errors.IBAN_INVALID({ violations: [{ field: 'bank_account.iban', rule: 'iban', message: 'is not valid' }] });
  }
  return { kind: 'bank_account', brand: iban.slice(0, 2), last4: iban.slice(-4), expMonth: null, expYear: null };
}

export function invalidCard(field: string) {
  return errors.CARD_INVALID({ violations: [{ field, rule: 'card', message: 'is not valid' }] });
}
