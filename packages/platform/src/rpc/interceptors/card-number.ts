import { type DescField, getOption, hasOption } from '@bufbuild/protobuf';
import { field as validateField } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { DataClass } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '../../errors/index.ts';
import { holdsCardNumber } from '../card-number.ts';
import { compileTextWalk, fieldPolicy } from '../message-text.ts';
import type { RequestInterceptor } from './interceptor.ts';

/** Where a card number belongs, and where digits of the same look do: an IBAN is a country, a bank and an account. */
const FIELDS_EXEMPT: ReadonlySet<string> = new Set([
  'strongroom.payments.v1.Card.number',
  'strongroom.payments.v1.BankAccount.iban',
]);
/** Names that the machine gave: a random one may look like a card by chance. */
const NAMES_EXEMPT: ReadonlySet<string> = new Set(['request_id', 'etag', 'page_token']);

/** A card number in any field but the one is refused, and that is a security event (S4.3). */
export const cardNumberInterceptor: RequestInterceptor = (method) => {
  return compileTextWalk(method.input, (field) => (isExempt(field) ? undefined : refuseCardNumber(field.name)));
};

function isExempt(field: DescField): boolean {
  if (FIELDS_EXEMPT.has(`${field.parent.typeName}.${field.name}`) || NAMES_EXEMPT.has(field.name)) return true;
  // A password or token is never stored as sent, and its owner may choose any digits.
  if (fieldPolicy(field)?.data === DataClass.SECRET) return true;
  if (!hasOption(field, validateField)) return false;
  const rules = getOption(field, validateField);
  return rules.type.case === 'string' && rules.type.value.wellKnown.case === 'uuid';
}

function refuseCardNumber(field: string): (text: string) => string {
  const violations = [{ field, rule: 'card_number', message: 'holds a card number' }];
  return (text) => {
    if (holdsCardNumber(text)) throw commonErrors.CARD_NUMBER_NOT_ALLOWED({ violations });
    return text;
  };
}
