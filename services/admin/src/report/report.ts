import type { StoredRecord } from '../audit/audit-record.ts';

export type ReportKindName =
  | 'ACCESS_REVIEW'
  | 'FAILED_SIGN_INS'
  | 'PRIVILEGE_CHANGES'
  | 'PAYMENT_ACTIVITY'
  | 'DATA_ACCESS';
export type ReportFormatName = 'CSV' | 'JSON' | 'PDF';

export interface ReportDefinition {
  readonly title: string;
  /** The control that the report is evidence for: called met only if the range has no hole. */
  readonly control: string;
  /** The actions whose records are its lines; undefined means all of the subject's. */
  readonly actions: readonly string[] | undefined;
}

export const reportDefinitions: Readonly<Record<ReportKindName, ReportDefinition>> = {
  ACCESS_REVIEW: {
    title: 'Access review',
    control: 'Every grant and change of a role or status in the period is recorded with who made it.',
    actions: ['USER_REGISTERED', 'USER_CREATED', 'USER_ROLE_CHANGED', 'USER_STATUS_CHANGED', 'USER_DELETED'],
  },
  FAILED_SIGN_INS: {
    title: 'Failed sign-ins',
    control: 'Every failed sign-in, lockout and refused second factor of the period is recorded.',
    actions: ['USER_LOGIN_FAILED', 'ACCOUNT_LOCKED', 'ACCOUNT_UNLOCKED', 'MFA_FAILED', 'TOKEN_REUSE_DETECTED'],
  },
  PRIVILEGE_CHANGES: {
    title: 'Privilege changes',
    control: 'Every change of privileges, secrets and configuration in the period is recorded with who made it.',
    actions: [
      'USER_CREATED',
      'USER_ROLE_CHANGED',
      'USER_STATUS_CHANGED',
      'USER_DELETED',
      'MFA_DISABLED',
      'MFA_RECOVERY',
      'SECRET_ROTATED',
      'SYSTEM_CONFIG_CHANGED',
      'LEGAL_HOLD_CHANGED',
    ],
  },
  PAYMENT_ACTIVITY: {
    title: 'Payment activity',
    control: 'Every change of a payment in the period is recorded.',
    actions: [
      'PAYMENT_CREATED',
      'PAYMENT_UPDATED',
      'PAYMENT_COMPLETED',
      'PAYMENT_FAILED',
      'PAYMENT_CANCELLED',
      'PAYMENT_REFUNDED',
      'PAYMENT_METHOD_ADDED',
      'PAYMENT_METHOD_REMOVED',
    ],
  },
  DATA_ACCESS: {
    title: "Access to a person's data",
    control: 'Every read and change of the data of this person in the period is recorded.',
    actions: undefined,
  },
};

/** What the log itself says about a range of it. */
export interface RangeEvidence {
  /** 0 and -1 where the period holds no record. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly recordCount: number;
  /** What is wrong with the range: empty if each position holds the record that its leaf commits to. */
  readonly faults: readonly string[];
  readonly checkpoint: string;
}

export interface ReportLine extends StoredRecord {
  readonly sequence: number;
}

/** A role as auth has it at the time of the report. */
export interface CurrentAccess {
  readonly userId: string;
  readonly role: string;
  readonly status: string;
  readonly secondFactor: boolean;
  /** RFC 3339. */
  readonly createTime: string;
}

export interface ReportContent {
  readonly id: string;
  readonly kind: ReportKindName;
  readonly startTime: string;
  readonly endTime: string;
  readonly subjectId: string;
  readonly createTime: string;
  readonly evidence: RangeEvidence;
  readonly lines: readonly ReportLine[];
  /** Of an access review: who holds which role now. */
  readonly access?: readonly CurrentAccess[] | undefined;
}

/** No personal data: sealed facts stay in the log, where an erasure reaches them. */
export const reportColumns = [
  'sequence',
  'occurTime',
  'action',
  'actorId',
  'actorKind',
  'actorName',
  'subjectId',
  'resourceType',
  'resourceId',
  'source',
  'traceId',
  'details',
] as const;

export const accessColumns = ['userId', 'role', 'status', 'secondFactor', 'createTime'] as const;

export function accessToCells(access: CurrentAccess): string[] {
  return accessColumns.map((column) => String(access[column]));
}

export function lineToCells(line: ReportLine): string[] {
  return reportColumns.map((column) => (column === 'details' ? detailsToText(line.details) : String(line[column])));
}

/** What can be said of the control. With a hole in the range nothing can: absence of evidence is no evidence. */
export function verdictOf({ evidence, kind }: ReportContent): string {
  const { control } = reportDefinitions[kind];
  if (evidence.faults.length === 0) return `MET: ${control}`;
  return `NOT ASSESSED: ${control} The range of the log is not whole: ${evidence.faults.join('; ')}.`;
}

/** The first lines of every format: what it is, of when, and which part of the log under which checkpoint it rests on. */
export function reportFacts(content: ReportContent): [name: string, value: string][] {
  const { evidence, subjectId } = content;
  const isEmpty = evidence.recordCount === 0;
  return [
    ['Report', reportDefinitions[content.kind].title],
    ['Id', content.id],
    ['From', content.startTime],
    ['Until', content.endTime],
    ...(subjectId === '' ? [] : [['Subject', subjectId] satisfies [string, string]]),
    ['Made', content.createTime],
    ['Leaf range', isEmpty ? 'none' : `${evidence.firstSequence} to ${evidence.lastSequence}`],
    ['Records in range', String(evidence.recordCount)],
    ['Lines', String(content.lines.length)],
    ...(content.access ? [['Accounts with a role', String(content.access.length)] satisfies [string, string]] : []),
    ['Control', verdictOf(content)],
    ['Checkpoint', evidence.checkpoint],
    ...summaryOf(content),
  ];
}

/** Payments are summed by currency and action, never across currencies (older fault 27). */
function summaryOf({ kind, lines }: ReportContent): [string, string][] {
  if (kind !== 'PAYMENT_ACTIVITY') {
    const counts = Map.groupBy(lines, ({ action }) => action);
    return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([action, group]) => [action, String(group.length)]);
  }
  const groups = Map.groupBy(lines, ({ action, details }) => `${action} ${details['currencyCode'] ?? ''}`.trim());
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, group]) => [name, `${group.length}, ${minorUnitsOf(group)} minor units`]);
}

function minorUnitsOf(lines: readonly ReportLine[]): string {
  const amounts = lines.map(({ details }) => details['minorUnits'] ?? '').filter((text) => /^\d{1,18}$/.test(text));
  return String(amounts.reduce((sum, text) => sum + BigInt(text), 0n));
}

function detailsToText(details: Readonly<Record<string, string>>): string {
  return Object.entries(details)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('; ');
}
