import { type DescMessage, type DescMethod, getOption } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { Audience, Criticality, LimitClass, policy } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';

/** What a call does while something is away: goes on, is refused for now, or answers from what is kept and says so. */
export type FailMode = 'open' | 'closed' | 'degraded';

export type MethodClass = (typeof methodClasses)[number];

export const methodClasses = [
  'sign-in',
  'auth-read',
  'auth-write',
  'money',
  'card',
  'payments-kept-read',
  'payments-read',
  'payments-write',
  'profile-kept-read',
  'profile-read',
  'profile-write',
  'whole-person',
  'user-administration',
  'admin-read',
  'admin-write',
] as const;

/** Methods that need more neighbours than others of their service. */
const exceptions: Readonly<Record<string, MethodClass>> = {
  AddPaymentMethod: 'card',
  ExportMyData: 'whole-person',
  EraseMe: 'whole-person',
  RevokeUserSessions: 'user-administration',
};

/** The class of a method that people call, out of its policy; undefined for what services alone call. */
export function methodClassOf(method: DescMethod): string | undefined {
  const its = getOption(method, policy);
  if (its.access?.audience === Audience.INTERNAL) return undefined;
  const area = method.parent.typeName.split('.')[1] ?? '';
  const exception = exceptions[method.name];
  if (exception !== undefined) return exception;
  if (its.limit === LimitClass.AUTH || its.limit === LimitClass.REFRESH) return 'sign-in';
  if (its.criticality === Criticality.CRITICAL) return 'money';
  if (its.audit?.resourceType === 'user' && area === 'admin') return 'user-administration';
  if (method.idempotency !== IdempotencyLevel.NO_SIDE_EFFECTS && method.methodKind === 'unary') return `${area}-write`;
  return saysStale(method.output) ? `${area}-kept-read` : `${area}-read`;
}

/** Whether the answer, or what it holds, can be marked as out of date: such a read is kept for outages (S5.3). */
function saysStale(message: DescMessage): boolean {
  return message.fields.some(
    (field) =>
      field.name === 'stale' ||
      (field.fieldKind === 'message' && field.message.fields.some(({ name }) => name === 'stale')),
  );
}

type CellOfEach<Classes extends readonly unknown[]> = { readonly [Column in keyof Classes]: FailMode };
type Row = CellOfEach<typeof methodClasses>;

const [o, d, x] = ['open', 'degraded', 'closed'] as const;

/**
 * What holds while a dependency is away (B-matrix), in the order of methodClasses. A cell that is left out doesn't compile;
 * a method that is in no class fails a house test.
 */
// biome-ignore format: a matrix
export const failModes = {
  //                     sign-in
  //                     |  auth-read
  //                     |  |  auth-write
  //                     |  |  |  money
  //                     |  |  |  |  card
  //                     |  |  |  |  |  payments-kept-read
  //                     |  |  |  |  |  |  payments-read
  //                     |  |  |  |  |  |  |  payments-write
  //                     |  |  |  |  |  |  |  |  profile-kept-read
  //                     |  |  |  |  |  |  |  |  |  profile-read
  //                     |  |  |  |  |  |  |  |  |  |  profile-write
  //                     |  |  |  |  |  |  |  |  |  |  |  whole-person
  //                     |  |  |  |  |  |  |  |  |  |  |  |  user-administration
  //                     |  |  |  |  |  |  |  |  |  |  |  |  |  admin-read
  //                     |  |  |  |  |  |  |  |  |  |  |  |  |  |  admin-write
  nats:                [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o],
  redis:               [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o],
  postgres:            [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x],
  'auth-database':     [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x],
  'payments-database': [o, o, o, x, x, d, x, x, o, o, o, x, o, o, o],
  'profile-database':  [o, o, o, o, o, o, o, o, d, x, x, x, o, o, o],
  'admin-database':    [o, o, o, o, o, o, o, o, o, o, o, x, x, x, x],
  'audit-database':    [o, o, o, o, o, o, o, o, o, o, o, x, o, x, o],
  auth:                [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x],
  payments:            [o, o, o, x, x, x, x, x, o, o, o, x, o, o, o],
  profile:             [o, o, o, o, o, o, o, o, x, x, x, x, o, o, o],
  admin:               [o, o, o, o, o, o, o, o, o, o, o, x, x, x, x],
  'psp-sandbox':       [o, o, o, o, x, o, o, o, o, o, o, o, o, o, o],
  witness:             [o, o, o, o, o, o, o, o, o, o, o, o, o, o, o],
} as const satisfies Readonly<Record<string, Row>>;

export type Dependency = keyof typeof failModes;

/** The row of a dependency, by class. */
export function modesWithout(dependency: Dependency): Record<string, FailMode> {
  return Object.fromEntries(methodClasses.map((name, column) => [name, failModes[dependency][column] ?? x]));
}
