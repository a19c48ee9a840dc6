/**
 * Every flag there is, and the service that obeys it. A flag stands here only if something in the system does: a method of
 * the contract that names it in its policy, or the code of that service.
 */
export const flagDefinitions = {
  'anomaly-detection': {
    defaultEnabled: true,
    description: 'Judge sign-ins, payments and writes as they reach the audit log.',
  },
  'audit-watch': {
    defaultEnabled: true,
    description: 'Let administrators follow the audit log live. Off sheds load; lists and proofs go on.',
  },
  'avatar-upload': {
    defaultEnabled: true,
    description: 'Let people upload pictures of themselves.',
  },
  'compliance-reports': {
    defaultEnabled: true,
    description: 'Let administrators make compliance reports. Off sheds load; reports that were made stay readable.',
  },
  'data-export': {
    defaultEnabled: true,
    description: 'Let people export their data. Off sheds load, for hours and not for days: it is their right.',
  },
  'payment-reports': {
    defaultEnabled: true,
    description: 'Answer reports over many payments. Off sheds load; payments and lists go on.',
  },
  'recipient-search': {
    defaultEnabled: true,
    description: 'Answer searches for recipients. Payments to a known id or address go on.',
  },
  registration: {
    defaultEnabled: true,
    description: 'Let new people register. Administrators still create accounts.',
  },
} as const satisfies Readonly<Record<string, { readonly defaultEnabled: boolean; readonly description: string }>>;

export type FlagName = keyof typeof flagDefinitions;

export const flagNames = (Object.keys(flagDefinitions) as FlagName[]).sort();

export function isFlagName(text: string): text is FlagName {
  return Object.hasOwn(flagDefinitions, text);
}
