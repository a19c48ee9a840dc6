import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type RpcRoute, useCase } from '@strongroom/platform/rpc';
import { getCaptchaChallenge } from './captcha/get-captcha-challenge.ts';
import type { Deps } from './deps.ts';
import { changePassword } from './password/change-password.ts';
import { checkRevocation } from './session/check-revocation.ts';
import { listSessions } from './session/list-sessions.ts';
import { login } from './session/login.ts';
import { logout } from './session/logout.ts';
import { logoutAll } from './session/logout-all.ts';
import { refresh } from './session/refresh.ts';
import { revokeOtherSessions } from './session/revoke-other-sessions.ts';
import { revokeSession } from './session/revoke-session.ts';
import { revokeUserSessions } from './session/revoke-user-sessions.ts';
import { createUser } from './user/create-user.ts';
import { deleteUser } from './user/delete-user.ts';
import { findUserByEmail } from './user/find-user-by-email.ts';
import { getMe } from './user/get-me.ts';
import { getUsers } from './user/get-users.ts';
import { register } from './user/register.ts';
import { setRole } from './user/set-role.ts';
import { setStatus } from './user/set-status.ts';
import { updateUser } from './user/update-user.ts';

/** Table of contents: one line a method, in the contract's order. */
export function authRoutes(deps: Deps): RpcRoute<typeof AuthService>[] {
  const implementation: RpcRoute<typeof AuthService>['implementation'] = {
    register: useCase(register, deps),
    login: useCase(login, deps),
    refresh: useCase(refresh, deps),
    logout: useCase(logout, deps),
    logoutAll: useCase(logoutAll, deps),
    getMe: useCase(getMe, deps),
    changePassword: useCase(changePassword, deps),
    getCaptchaChallenge: useCase(getCaptchaChallenge, deps),
    listSessions: useCase(listSessions, deps),
    revokeSession: useCase(revokeSession, deps),
    revokeOtherSessions: useCase(revokeOtherSessions, deps),
    createUser: useCase(createUser, deps),
    updateUser: useCase(updateUser, deps),
    setRole: useCase(setRole, deps),
    setStatus: useCase(setStatus, deps),
    deleteUser: useCase(deleteUser, deps),
    getUsers: useCase(getUsers, deps),
    findUserByEmail: useCase(findUserByEmail, deps),
    revokeUserSessions: useCase(revokeUserSessions, deps),
    checkRevocation: useCase(checkRevocation, deps),
  };
  return [{ service: AuthService, implementation }];
}
