import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';

/** SERVICE is the role of processes; no person has it. */
export const personRoles = { CUSTOMER: Role.CUSTOMER, VENDOR: Role.VENDOR, ADMIN: Role.ADMIN } as const;

/** What accounts can be listed by; erased ones have nothing left to list. */
export const personStatuses = { ACTIVE: UserStatus.ACTIVE, SUSPENDED: UserStatus.SUSPENDED } as const;
