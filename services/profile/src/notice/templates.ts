/** Every message that the system sends to people. A notice names one of these. */
export const templates = {
  'verify-email': {
    subject: 'Confirm your e-mail address',
    text: 'Hello {name},\n\nconfirm this address with your password here:\n\n{link}\n\nThe link works once. Its token, to be typed in elsewhere:\n\n{token}\n\nIf you did not register, do not confirm it. If you did and your password is not accepted, someone else registered with your address: reset the password, and the account is yours.',
  },
  'account-exists': {
    subject: 'You already have an account',
    text: 'Hello {name},\n\nsomeone tried to register with this address, which already has an account. If it was you, sign in or reset your password. Otherwise nothing needs to be done.',
  },
  'password-reset': {
    subject: 'Reset your password',
    text: 'Hello {name},\n\nset a new password here:\n\n{link}\n\nThe link works once and not for long. Its token, to be typed in elsewhere:\n\n{token}\n\nIf you did not ask for it, ignore this message.',
  },
  invitation: {
    subject: 'You are invited',
    text: 'Hello {name},\n\nan account was made for you. Choose a password here:\n\n{link}\n\nThe link works once. Its token, to be typed in elsewhere:\n\n{token}',
  },
  'account-locked': {
    subject: 'Sign-in to your account is locked for a while',
    text: 'Hello {name},\n\nthere were several failed sign-ins to your account, the last from {ipAddress}. Sign-in from unknown devices is refused until {unlockTime}. A device that you have used before still gets in.',
  },
  'new-device': {
    subject: 'New device signed in',
    text: 'Hello {name},\n\na device that we have not seen before signed in to your account from {ipAddress} ({userAgent}). If it was not you, change your password and end all sessions.',
  },
  'suspicious-sign-in': {
    subject: 'Unusual sign-in to your account',
    text: 'Hello {name},\n\nthere was an unusual sign-in to your account from {ipAddress} ({userAgent}). If it was not you, change your password and end all sessions.',
  },
  'unusual-activity': {
    subject: 'Unusual activity on your account',
    text: 'Hello {name},\n\nwe noticed something unusual on your account: {what}. {consequence} If it was not you, change your password and end all sessions.',
  },
  'anomaly-alert': {
    subject: 'Anomaly detected: {kind}',
    text: 'Hello {name},\n\nan anomaly of the kind {kind} was detected. What was done: {consequence} See anomaly {anomaly} in the list of anomalies. Further ones of this kind within the hour are on the list alone.',
  },
  'password-changed': {
    subject: 'Your password was changed',
    text: 'Hello {name},\n\nthe password of your account was changed. If it was not you, reset it at once.',
  },
  'email-changed': {
    subject: 'Your e-mail address was changed',
    text: 'Hello {name},\n\nthe e-mail address of your account was changed. If you did not ask for it, contact support.',
  },
  'mfa-enabled': {
    subject: 'A second factor was added',
    text: 'Hello {name},\n\na second factor was added to your account. If it was not you, change your password and end all sessions.',
  },
  'mfa-disabled': {
    subject: 'A second factor was removed',
    text: 'Hello {name},\n\na second factor was removed from your account. If it was not you, change your password at once.',
  },
  'backup-codes-replaced': {
    subject: 'Your backup codes were replaced',
    text: 'Hello {name},\n\nnew backup codes were made for your account, and the older ones count no more. If it was not you, change your password and end all sessions.',
  },
  'mfa-recovery-requested': {
    subject: 'Removal of your second factor was asked for',
    text: 'Hello {name},\n\nsomeone who knows your password asked to remove the second factor of your account. If it was not you, sign in, cancel recovery {recoveryId} under Security, and change your password.',
  },
  'mfa-recovery-approved': {
    subject: 'Removal of your second factor was approved',
    text: 'Hello {name},\n\nthe second factor of your account will be removed at {effectiveTime}. If you did not ask for it, cancel recovery {recoveryId} now, under Security.',
  },
} as const satisfies Readonly<Record<string, { readonly subject: string; readonly text: string }>>;

export type TemplateName = keyof typeof templates;

export function isTemplateName(text: string): text is TemplateName {
  return Object.hasOwn(templates, text);
}

/** Fills the places of a template. A value is put in as it is, once: `{{7*7}}` stays `{{7*7}}` (ASVS 1.3.7). */
export function renderTemplate(
  name: TemplateName,
  values: Readonly<Record<string, string>>,
): { subject: string; text: string } {
  const { subject, text } = templates[name];
  const fill = (source: string) =>
    source.replace(/\{([a-zA-Z]+)\}/g, (_place, key: string) =>
      Object.hasOwn(values, key) ? (values[key] ?? '') : '',
    );
  return { subject: fill(subject), text: fill(text) };
}
