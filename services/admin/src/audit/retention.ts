/** Classes of audit records, by how long they are kept. Each has a partition of its own (migrations-audit). */
export type RetentionClass = 'authentication' | 'access' | 'change' | 'administration' | 'money';

const authenticationAction =
  /^(USER_(LOGIN|LOGIN_FAILED|LOGOUT|PASSWORD_CHANGED)|ACCOUNT_|SESSION_|TOKEN_|MFA_|PASSKEY_)/;
const moneyAction = /^(PAYMENT_|REFUND_|LEDGER_|WEBHOOK_|MANDATE_)/;
const accessActions: ReadonlySet<string> = new Set(['AUTHORIZATION_DENIED', 'SENSITIVE_READ']);
const changeActions: ReadonlySet<string> = new Set(['DB_WRITE']);

/**
 * The class is part of the record and so of its leaf: nobody can move a record to a shorter-lived class unseen. What
 * fits no other class is administration, the longest-lived but one.
 */
export function retentionClassOf(action: string): RetentionClass {
  if (changeActions.has(action)) return 'change';
  if (accessActions.has(action)) return 'access';
  if (authenticationAction.test(action)) return 'authentication';
  return moneyAction.test(action) ? 'money' : 'administration';
}
