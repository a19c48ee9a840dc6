import type { MessageInitShape } from '@bufbuild/protobuf';
import { type UserSchema, UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import { etagOf, type RoleName, type StatusName, type UserRow } from './user.ts';

const roles = { CUSTOMER: Role.CUSTOMER, VENDOR: Role.VENDOR, ADMIN: Role.ADMIN } as const;
const statuses = {
  ACTIVE: UserStatus.ACTIVE,
  SUSPENDED: UserStatus.SUSPENDED,
  DELETED: UserStatus.DELETED,
} as const;

/** Never the password's hash: the message has no place for it (older fault 4). */
export function userToProto(user: UserRow): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    email: user.email ?? '',
    name: user.name,
    role: roles[user.role],
    status: statuses[user.status],
    emailVerified: user.emailVerified,
    mfaEnabled: user.mfaEnabled,
    passwordChangeRequired: user.passwordChangeRequired,
    createTime: timestampToProto(user.createTime),
    updateTime: timestampToProto(user.updateTime),
    etag: etagOf(user),
  };
}

export function roleFromProto(role: Role): RoleName {
  const found = (Object.keys(roles) as RoleName[]).find((name) => roles[name] === role);
  if (found === undefined) throw new RangeError('no role of a person');
  return found;
}

export function statusFromProto(status: UserStatus): StatusName {
  const found = (Object.keys(statuses) as StatusName[]).find((name) => statuses[name] === status);
  if (found === undefined) throw new RangeError('no status of an account');
  return found;
}
