import { AuthService } from '@strongroom/gen/strongroom/auth/v1/auth_service_pb.ts';
import { type RpcRoute, useCase } from '@strongroom/platform/rpc';
import { getCaptchaChallenge } from './captcha/get-captcha-challenge.ts';
import type { Deps } from './deps.ts';
import { getLockout } from './lockout/get-lockout.ts';
import { unlock } from './lockout/unlock.ts';
import { confirmTotp } from './mfa/confirm-totp.ts';
import { disableMfa } from './mfa/disable-mfa.ts';
import { enrollTotp } from './mfa/enroll-totp.ts';
import { getMfaStatus } from './mfa/get-mfa-status.ts';
import { regenerateBackupCodes } from './mfa/regenerate-backup-codes.ts';
import { verifyMfa } from './mfa/verify-mfa.ts';
import { finishPasskeyLogin } from './passkey/finish-passkey-login.ts';
import { finishPasskeyRegistration } from './passkey/finish-passkey-registration.ts';
import { removePasskey } from './passkey/remove-passkey.ts';
import { startPasskeyLogin } from './passkey/start-passkey-login.ts';
import { startPasskeyRegistration } from './passkey/start-passkey-registration.ts';
import { changePassword } from './password/change-password.ts';
import { requestPasswordReset } from './password/request-password-reset.ts';
import { resetPassword } from './password/reset-password.ts';
import { approveMfaRecovery } from './recovery/approve-mfa-recovery.ts';
import { cancelMfaRecovery } from './recovery/cancel-mfa-recovery.ts';
import { startMfaRecovery } from './recovery/start-mfa-recovery.ts';
import { checkExpiring } from './secret/check-expiring.ts';
import { getSecretsStatus } from './secret/get-secrets-status.ts';
import { listRotations } from './secret/list-rotations.ts';
import { rotateSecrets } from './secret/rotate-secrets.ts';
import { checkRevocation } from './session/check-revocation.ts';
import { listSessions } from './session/list-sessions.ts';
import { login } from './session/login.ts';
import { logout } from './session/logout.ts';
import { logoutAll } from './session/logout-all.ts';
import { refresh } from './session/refresh.ts';
import { revokeOtherSessions } from './session/revoke-other-sessions.ts';
import { revokeSession } from './session/revoke-session.ts';
import { revokeUserSessions } from './session/revoke-user-sessions.ts';
import { stepUp } from './session/step-up.ts';
import { createUser } from './user/create-user.ts';
import { deleteUser } from './user/delete-user.ts';
import { findUserByEmail } from './user/find-user-by-email.ts';
import { getMe } from './user/get-me.ts';
import { getUsers } from './user/get-users.ts';
import { register } from './user/register.ts';
import { resendVerification } from './user/resend-verification.ts';
import { setRole } from './user/set-role.ts';
import { setStatus } from './user/set-status.ts';
import { updateUser } from './user/update-user.ts';
import { verifyEmail } from './user/verify-email.ts';

/** Table of contents: one line a method, in the contract's order. */
export function authRoutes(deps: Deps): RpcRoute<typeof AuthService>[] {
  const implementation: RpcRoute<typeof AuthService>['implementation'] = {
    register: useCase(register, deps),
    login: useCase(login, deps),
    verifyMfa: useCase(verifyMfa, deps),
    refresh: useCase(refresh, deps),
    logout: useCase(logout, deps),
    logoutAll: useCase(logoutAll, deps),
    getMe: useCase(getMe, deps),
    stepUp: useCase(stepUp, deps),
    changePassword: useCase(changePassword, deps),
    requestPasswordReset: useCase(requestPasswordReset, deps),
    resetPassword: useCase(resetPassword, deps),
    verifyEmail: useCase(verifyEmail, deps),
    resendVerification: useCase(resendVerification, deps),
    getCaptchaChallenge: useCase(getCaptchaChallenge, deps),
    listSessions: useCase(listSessions, deps),
    revokeSession: useCase(revokeSession, deps),
    revokeOtherSessions: useCase(revokeOtherSessions, deps),
    enrollTotp: useCase(enrollTotp, deps),
    confirmTotp: useCase(confirmTotp, deps),
    disableMfa: useCase(disableMfa, deps),
    getMfaStatus: useCase(getMfaStatus, deps),
    regenerateBackupCodes: useCase(regenerateBackupCodes, deps),
    startPasskeyRegistration: useCase(startPasskeyRegistration, deps),
    finishPasskeyRegistration: useCase(finishPasskeyRegistration, deps),
    removePasskey: useCase(removePasskey, deps),
    startPasskeyLogin: useCase(startPasskeyLogin, deps),
    finishPasskeyLogin: useCase(finishPasskeyLogin, deps),
    startMfaRecovery: useCase(startMfaRecovery, deps),
    approveMfaRecovery: useCase(approveMfaRecovery, deps),
    cancelMfaRecovery: useCase(cancelMfaRecovery, deps),
    getLockout: useCase(getLockout, deps),
    unlock: useCase(unlock, deps),
    getSecretsStatus: useCase(getSecretsStatus, deps),
    rotateSecrets: useCase(rotateSecrets, deps),
    listRotations: useCase(listRotations, deps),
    checkExpiring: useCase(checkExpiring, deps),
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
