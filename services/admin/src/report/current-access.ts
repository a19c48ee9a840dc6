import type { DescEnum } from '@bufbuild/protobuf';
import type { CallOptions, Client } from '@connectrpc/connect';
import type { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type User, UserStatusSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role, RoleSchema } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { errors } from '../errors.ts';
import type { CurrentAccess } from './report.ts';

const pageSize = 100;
const accountsMax = 10_000;
/** Customers reach their own data alone; an access review is about those who reach more. */
const reviewedRoles = [Role.ADMIN, Role.VENDOR];

/** Who holds which role now, asked of auth, the owner: the log alone tells changes, and not what was there before it. */
export async function readCurrentAccess(
  auth: Client<typeof AuthService>,
  options: CallOptions,
): Promise<CurrentAccess[]> {
  const found: CurrentAccess[] = [];
  for (const role of reviewedRoles) {
    let pageToken = '';
    do {
      const page = await auth.getUsers({ role, pageSize, pageToken }, options);
      found.push(...page.users.map(userToAccess));
      if (found.length > accountsMax) throw errors.REPORT_TOO_LARGE();
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }
  return found;
}

/** No name and no address: a report outlives an erasure. */
function userToAccess({ id, role, status, mfaEnabled, createTime }: User): CurrentAccess {
  return {
    userId: id,
    role: nameOf(RoleSchema, role),
    status: nameOf(UserStatusSchema, status),
    secondFactor: mfaEnabled,
    createTime: createTime === undefined ? '' : new Date(Number(createTime.seconds) * 1_000).toISOString(),
  };
}

function nameOf(schema: DescEnum, number: number): string {
  return schema.value[number]?.localName ?? String(number);
}
