// The contract is the policy: a method, field or route that says nothing is a hole, so each fails here.
import { type DescField, type DescMessage, type DescMethod, getOption, hasOption } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { type FieldRules, field as validateField } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { http } from '@strongroom/gen/google/api/annotations_pb.ts';
import { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { file_strongroom_events_v1_event } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import {
  Audience,
  Criticality,
  DataClass,
  field as fieldPolicy,
  fields as fieldsPolicy,
  LimitClass,
  policy,
  Role,
} from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { ProfileService } from '@strongroom/gen/strongroom/profile/v1/profile_service_pb.ts';
import { auditActions, resourceTypes } from '@strongroom/platform/events';
import { flagNames } from '@strongroom/platform/flags';
import t from 'tap';
import { failModes, methodClasses, methodClassOf } from '../chaos/fail-modes.ts';

const services = [AuthService, PaymentsService, ProfileService, AdminService];
const methods = services.flatMap((service) => service.methods);
const processNames = ['gateway', 'auth', 'payments', 'profile', 'admin'];

/** Bodies above this are never read, so a foreign message inside one is bounded by it. */
const foreignMessages = /^google\./;

t.test('S2.1: every method carries a whole policy', (t) => {
  for (const method of methods) {
    const name = `${method.parent.typeName}/${method.name}`;
    t.ok(hasOption(method, policy), `${name} has a policy`);
    const its = getOption(method, policy);
    t.not(its.access?.audience ?? Audience.UNSPECIFIED, Audience.UNSPECIFIED, `${name} has an audience`);
    t.not(its.limit, LimitClass.UNSPECIFIED, `${name} has a limit class`);
    t.not(its.criticality, Criticality.UNSPECIFIED, `${name} has a criticality`);
    t.equal(
      (its.access?.roles.length ?? 0) > 0,
      its.access?.audience === Audience.ROLES,
      `${name}: roles with ROLES alone`,
    );
    t.notOk(its.access?.roles.includes(Role.SERVICE), `${name}: a process is no role of a person`);
    t.ok(its.bodyLimitBytes <= 52_428_800, `${name}: body at most 50 MB`);
    t.equal(method.deprecated, its.sunset !== '', `${name}: deprecated with a sunset date, and only then`);
  }
  t.end();
});

t.test('S5.3: every flag is obeyed: a method names it, or the code of admin does', (t) => {
  const named = new Set(methods.map((method) => getOption(method, policy).flag).filter((flag) => flag !== ''));
  t.strictSame([...named, 'anomaly-detection'].sort(), flagNames);
  t.end();
});

t.test(
  'B-matrix: every method that people call is of a class whose outages are declared, and no class is empty',
  (t) => {
    const classes = new Set(methods.flatMap((method) => methodClassOf(method) ?? []));
    t.same([...classes].sort(), [...methodClasses].sort());
    for (const [dependency, modes] of Object.entries(failModes)) {
      t.equal(modes.length, methodClasses.length, `${dependency} says what holds for each class`);
    }
    t.end();
  },
);

t.test('B-zero: internal methods name their callers and have no route; all others have one', (t) => {
  for (const method of methods) {
    const name = `${method.parent.typeName}/${method.name}`;
    const access = getOption(method, policy).access;
    const isInternal = access?.audience === Audience.INTERNAL;
    t.equal((access?.callers.length ?? 0) > 0, isInternal, `${name}: callers with INTERNAL alone`);
    for (const caller of access?.callers ?? []) t.ok(processNames.includes(caller), `${name}: ${caller} is a process`);
    const isUnary = method.methodKind === 'unary';
    t.equal(hasOption(method, http), !isInternal && isUnary, `${name}: a route if public and unary, none else`);
  }
  t.end();
});

t.test('S1.4: the contract records only actions and resource types out of the closed lists', (t) => {
  for (const method of methods) {
    const audit = getOption(method, policy).audit;
    if (audit?.action) t.ok(auditActions.includes(audit.action as never), `${method.name}: ${audit.action}`);
    if (audit?.resourceType) {
      t.ok(resourceTypes.includes(audit.resourceType as never), `${method.name}: ${audit.resourceType}`);
    }
  }
  t.end();
});

t.test('S5.2: reads are free of side effects, and only they and idempotent methods may be retried', (t) => {
  for (const method of methods) {
    const rule = getOption(method, http);
    if (rule.pattern.case !== 'get') continue;
    t.equal(method.idempotency, MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS, `${method.name} is a read`);
  }
  t.end();
});

t.test('S2.1: every field has a data class, and every request field a bound', (t) => {
  const requests = reachable(methods.map((method) => method.input));
  const all = reachable([
    ...methods.flatMap((method: DescMethod) => [method.input, method.output]),
    ...file_strongroom_events_v1_event.messages,
  ]);
  for (const message of all) {
    for (const field of message.fields) {
      const own = hasOption(field, fieldPolicy) ? getOption(field, fieldPolicy) : getOption(message, fieldsPolicy);
      t.not(own.data, DataClass.UNSPECIFIED, `${message.typeName}.${field.name} has a data class`);
    }
  }
  for (const message of requests) {
    for (const field of message.fields) {
      t.equal(unbounded(field, getOption(field, validateField)), '', `${message.typeName}.${field.name} is bounded`);
    }
  }
  t.end();
});

/** All messages of ours that can stand inside the given ones. */
function reachable(roots: DescMessage[]): Set<DescMessage> {
  const found = new Set<DescMessage>();
  const open = [...roots];
  for (let message = open.pop(); message; message = open.pop()) {
    if (found.has(message) || foreignMessages.test(message.typeName)) continue;
    found.add(message);
    for (const field of message.fields) if (field.message) open.push(field.message);
  }
  return found;
}

/** Why a field has no bound, or nothing. */
function unbounded(field: DescField, rules: FieldRules): string {
  if (field.fieldKind === 'map') {
    const map = rules.type.case === 'map' ? rules.type.value : undefined;
    if (!map?.maxPairs) return 'map without max_pairs';
    return isTextBounded(map.keys) && isTextBounded(map.values) ? '' : 'map with unbounded text';
  }
  if (field.fieldKind === 'list') {
    const list = rules.type.case === 'repeated' ? rules.type.value : undefined;
    if (!list?.maxItems) return 'list without max_items';
    return field.listKind === 'scalar' && !isTextBounded(list.items) ? 'list of unbounded text' : '';
  }
  if (field.fieldKind !== 'scalar') return '';
  const isText = field.scalar === 9 || field.scalar === 12;
  return !isText || isTextBounded(rules) ? '' : 'text without a length';
}

function isTextBounded(rules: FieldRules | undefined): boolean {
  if (rules?.type.case === 'bytes') return rules.type.value.maxLen > 0n;
  if (rules?.type.case !== 'string') return false;
  const text = rules.type.value;
  const hasLength = text.maxLen > 0n || text.maxBytes > 0n || text.len > 0n || text.in.length > 0 || text.const !== '';
  return hasLength || (text.wellKnown.case === 'uuid' && text.wellKnown.value);
}
