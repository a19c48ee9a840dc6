/** Every flag there is. A flag stands here only if something in the system obeys it. */
export const flagDefinitions = {
  'anomaly-detection': {
    defaultEnabled: true,
    description: 'Judge sign-ins, payments and writes as they reach the audit log.',
  },
  'audit-watch': {
    defaultEnabled: true,
    description: 'Let administrators follow the audit log live. Off sheds load; lists and proofs go on.',
  },
  'compliance-reports': {
    defaultEnabled: true,
    description: 'Let administrators make compliance reports. Off sheds load; reports that were made stay readable.',
  },
} as const;

export type FlagName = keyof typeof flagDefinitions;

export const flagNames = (Object.keys(flagDefinitions) as FlagName[]).sort();

export function isFlagName(text: string): text is FlagName {
  return Object.hasOwn(flagDefinitions, text);
}
