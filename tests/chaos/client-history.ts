// What the clients of a run saw, attempt by attempt: the part of the invariants that no database can tell.
import type { openSql } from '@strongroom/testkit';

type Sql = ReturnType<typeof openSql>;

export interface Attempt {
  /** Method and path. */
  readonly route: string;
  readonly token: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Undefined when no answer came: what was asked for may have happened or not. */
  readonly status: number | undefined;
  readonly hasRetryAfter: boolean;
  /** For a write of a payment: its key, which is also its description, what was asked for and what was answered. */
  readonly payment?: { readonly key: string; readonly minorUnits: number; readonly id: string | undefined };
}

export interface ClientHistory {
  readonly attempts: Attempt[];
  /** Tokens that were revoked, and when the answer that said so had come. */
  readonly revocations: { readonly token: string; readonly ackMs: number }[];
  /** From here on nothing is broken any more. */
  healMs: number;
}

export function createHistory(): ClientHistory {
  return { attempts: [], revocations: [], healMs: Number.POSITIVE_INFINITY };
}

/** I1: however often a key was sent, everyone who was answered was told of the same payment. */
export function checkKeys({ attempts }: ClientHistory): string[] {
  const ids = new Map<string, Set<string>>();
  for (const { payment } of attempts) {
    if (payment?.id !== undefined) ids.set(payment.key, (ids.get(payment.key) ?? new Set()).add(payment.id));
  }
  return [...ids].filter(([, made]) => made.size > 1).map(([key, made]) => `I1: key ${key} made ${made.size} payments`);
}

/** I1, I2, I3: what was acknowledged is there as it was acknowledged, once; what was not is there once or not at all. */
export async function checkPayments(sql: Sql, { attempts }: ClientHistory): Promise<string[]> {
  const rows = await sql<{ id: string; minorUnits: string; description: string }[]>`
    select id::text, minor_units::text as "minorUnits", description from payments`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  const copies = new Map<string, number>();
  for (const { description } of rows) copies.set(description, (copies.get(description) ?? 0) + 1);
  const found: string[] = [];
  for (const key of new Set(attempts.flatMap(({ payment }) => payment?.key ?? []))) {
    const count = copies.get(key) ?? 0;
    if (count > 1) found.push(`I3: key ${key} left ${count} payments`);
  }
  for (const { payment } of attempts) {
    if (payment?.id === undefined) continue;
    const row = byId.get(payment.id);
    if (row === undefined) found.push(`I2: payment ${payment.id} was acknowledged and is not there`);
    else if (row.description !== payment.key || Number(row.minorUnits) !== payment.minorUnits)
      found.push(`I2: payment ${payment.id} is not what was acknowledged`);
  }
  return found;
}

/** I6: nothing that began after the revocation's answer was let in. */
export function checkRevocations({ attempts, revocations }: ClientHistory): string[] {
  return revocations.flatMap(({ token, ackMs }) =>
    attempts
      .filter((one) => one.token === token && one.startMs > ackMs && one.status !== undefined && one.status < 400)
      .map(({ route }) => `I6: ${route} took a token that was revoked`),
  );
}

/** I7: no 5xx but 503 and 504 while something is broken, and none at all afterwards. */
export function checkStatuses({ attempts, healMs }: ClientHistory): string[] {
  const found: string[] = [];
  for (const { route, status, startMs } of attempts) {
    const isServerFault = status !== undefined && status >= 500;
    if (isServerFault && status !== 503 && status !== 504) found.push(`I7: ${route} answered ${status}`);
    else if (startMs > healMs && (isServerFault || status === undefined))
      found.push(`I7: ${route} answered ${status ?? 'nothing'} after the end of the fault`);
  }
  return found;
}
