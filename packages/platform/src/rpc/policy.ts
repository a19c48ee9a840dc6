import { clone, type DescMethod, getOption, hasOption } from '@bufbuild/protobuf';
import {
  Audience,
  LimitClass,
  type MethodPolicy,
  MethodPolicySchema,
  policy,
} from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';

export const DEFAULT_DEADLINE_MS = 5_000;
export const DEFAULT_BODY_LIMIT_BYTES = 65_536; // requirements.md, decisions: 64 KiB
export const BODY_LIMIT_MAX_BYTES = 52_428_800; // S6.3: uploads ≤ 50 MB
const DEFAULT_SUCCESS_STATUS = 200;

const policies = new WeakMap<DescMethod, MethodPolicy>();

/** The policy of a method of the contract, defaults applied. A method that says nothing about access has none: throws. */
export function methodPolicy(method: DescMethod): MethodPolicy {
  const known = policies.get(method);
  if (known !== undefined) return known;
  const resolved = resolvePolicy(method);
  policies.set(method, resolved);
  return resolved;
}

function resolvePolicy(method: DescMethod): MethodPolicy {
  const name = `${method.parent.typeName}/${method.name}`;
  if (!hasOption(method, policy)) throw new Error(`${name} carries no policy`);
  const resolved = clone(MethodPolicySchema, getOption(method, policy));
  const audience = resolved.access?.audience ?? Audience.UNSPECIFIED;
  if (audience === Audience.UNSPECIFIED) throw new Error(`${name} names no audience`);
  if (audience === Audience.ROLES && resolved.access?.roles.length === 0) throw new Error(`${name} names no role`);
  if (audience === Audience.INTERNAL && resolved.access?.callers.length === 0)
    throw new Error(`${name} names no caller`);
  if (resolved.limit === LimitClass.UNSPECIFIED) throw new Error(`${name} names no limit class`);
  if (resolved.deadlineMs === 0) resolved.deadlineMs = DEFAULT_DEADLINE_MS;
  if (resolved.bodyLimitBytes === 0) resolved.bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES;
  if (resolved.bodyLimitBytes > BODY_LIMIT_MAX_BYTES) throw new Error(`${name} allows a body over 50 MB`);
  if (resolved.successStatus === 0) resolved.successStatus = DEFAULT_SUCCESS_STATUS;
  return resolved;
}
