/** Every action that the audit log can hold (contract.md). The filter of ListAuditEvents takes no other. */
export const auditActions = [
  'ACCOUNT_LOCKED',
  'ACCOUNT_UNLOCKED',
  'ANOMALY_DETECTED',
  'ANOMALY_RESOLVED',
  'AUTHORIZATION_DENIED',
  'DATA_ERASED',
  'DATA_EXPORTED',
  'DB_WRITE',
  'LEGAL_HOLD_CHANGED',
  'MFA_DISABLED',
  'MFA_ENABLED',
  'MFA_FAILED',
  'MFA_RECOVERY',
  'PAYMENT_CANCELLED',
  'PAYMENT_COMPLETED',
  'PAYMENT_CREATED',
  'PAYMENT_FAILED',
  'PAYMENT_METHOD_ADDED',
  'PAYMENT_METHOD_REMOVED',
  'PAYMENT_REFUNDED',
  'PAYMENT_UPDATED',
  'PROFILE_UPDATED',
  'REPORT_GENERATED',
  'SECRET_ACCESSED',
  'SECRET_ROTATED',
  'SENSITIVE_READ',
  'SESSION_REVOKED',
  'SYSTEM_CONFIG_CHANGED',
  'TOKEN_REUSE_DETECTED',
  'USER_CREATED',
  'USER_DELETED',
  'USER_LOGIN',
  'USER_LOGIN_FAILED',
  'USER_LOGOUT',
  'USER_PASSWORD_CHANGED',
  'USER_REGISTERED',
  'USER_ROLE_CHANGED',
  'USER_STATUS_CHANGED',
  'USER_UPDATED',
  'WEBHOOK_REJECTED',
] as const;
export type AuditAction = (typeof auditActions)[number];

export const resourceTypes = [
  'audit_log',
  'database_row',
  'payment',
  'payment_method',
  'profile',
  'secret',
  'session',
  'system_config',
  'user',
] as const;
export type ResourceType = (typeof resourceTypes)[number];

const actions: ReadonlySet<string> = new Set(auditActions);
const types: ReadonlySet<string> = new Set(resourceTypes);

export function isAuditAction(text: string): text is AuditAction {
  return actions.has(text);
}

export function isResourceType(text: string): text is ResourceType {
  return types.has(text);
}
