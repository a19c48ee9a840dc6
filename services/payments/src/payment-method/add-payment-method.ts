import type { MessageShape } from '@bufbuild/protobuf';
import {
  type AddPaymentMethodRequest,
  AddPaymentMethodResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_method_pb.ts';
import { uuidv7 } from '@strongroom/platform/crypto';
import { isUniqueViolation } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';
import { runLeased } from '../idempotency/idempotent.ts';
import type { TokenOutcome } from '../psp/psp.ts';
import { invalidCard, type MaskedMethod, requireBankAccount, requireCard } from './payment-method.ts';
import { paymentMethodToProto } from './payment-method-proto.ts';
import {
  countPaymentMethods,
  hasNumber,
  insertPaymentMethod,
  type MethodSecrets,
  numberIndexes,
  type PaymentMethodRow,
} from './payment-method-store.ts';

const methodsMax = 50;
const retryAfterMs = 2_000;

/**
 * The one way in for a card number. It goes to the provider with its verification code, and is sealed before it reaches
 * a statement; the code is in no variable that outlives the request (S4.3).
 */
export async function addPaymentMethod(
  deps: Deps,
  request: AddPaymentMethodRequest,
  call: Call,
): Promise<MessageShape<typeof AddPaymentMethodResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const masked = requireMethod(request);
  const response = runLeased(deps, AddPaymentMethodResponseSchema, request, call, {
    outside: async () => {
      await requireRoom(deps, userId, numberOf(request));
      return requireToken(await tokenize(deps, request, uuidv7(deps.now())));
    },
    inside: async (tx, token) => {
      const id = uuidv7(deps.now());
      const method: PaymentMethodRow = { id, ...masked, createTime: new Date(deps.now()).toISOString() };
      await insertPaymentMethod(tx, deps.cipher, userId, method, secretsOf(request, token));
      await appendEvent(tx, actOf(call), {
        action: 'PAYMENT_METHOD_ADDED',
        resourceType: 'payment_method',
        resourceId: id,
        subjectId: userId,
        details: { kind: masked.kind, brand: masked.brand },
      });
      return { paymentMethod: paymentMethodToProto(method) };
    },
  });
  return response.catch((error: unknown) => {
    throw isUniqueViolation(error, 'payment_methods_number') ? errors.PAYMENT_METHOD_EXISTS({ cause: error }) : error;
  });
}

function requireMethod({ method }: AddPaymentMethodRequest): MaskedMethod {
  if (method.case === 'card') return requireCard(method.value);
  if (method.case === 'bankAccount') return requireBankAccount(method.value);
  throw commonErrors.VALIDATION_FAILED();
}

function numberOf({ method }: AddPaymentMethodRequest): string {
  return method.case === 'card' ? method.value.number : method.case === 'bankAccount' ? method.value.iban : '';
}

async function requireRoom(deps: Deps, userId: string, number: string): Promise<void> {
  if (await hasNumber(deps.database, userId, numberIndexes(deps.cipher, number))) throw errors.PAYMENT_METHOD_EXISTS();
  if ((await countPaymentMethods(deps.database, userId)) >= methodsMax) throw errors.LIMIT_REACHED();
}

async function tokenize({ psp }: Deps, { method }: AddPaymentMethodRequest, key: string): Promise<TokenOutcome | null> {
  try {
    if (method.case === 'card') return await psp.tokenizeCard(method.value, key);
    if (method.case === 'bankAccount') return await psp.tokenizeBankAccount(method.value, key);
    return null;
  } catch (cause) {
    throw errors.PSP_UNAVAILABLE({ cause, retryAfterMs });
  }
}

function requireToken(outcome: TokenOutcome | null): string | null {
  if (outcome === null) return null;
  if (outcome.kind === 'refused') throw errors.CARD_REFUSED({ metadata: { failureCode: outcome.failureCode } });
  if (outcome.kind === 'invalid') throw invalidCard('card');
  return outcome.token;
}

function secretsOf(request: AddPaymentMethodRequest, pspToken: string | null): MethodSecrets {
  const { method } = request;
  const holderName = method.case === 'bankAccount' ? method.value.holderName : null;
  return { number: numberOf(request), holderName, pspToken };
}
