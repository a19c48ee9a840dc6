// What somebody with every right on the database can do to the log, and what an auditor then finds.

import { randomInt } from 'node:crypto';
import { uuidv7 } from '@strongroom/platform/crypto';
import { type Queryable, queryableOver } from '@strongroom/platform/database';
import {
  appendLeaves,
  emptyTreeState,
  formatVerifierKey,
  leafHash,
  recordToEntry,
  rootFromState,
  signCheckpoint,
  type VerifyResult,
  verifyExport,
} from '@strongroom/tlog';
import { recordToAuditRecord } from '../src/audit/audit-record.ts';
import { listRecordRange } from '../src/audit/audit-store.ts';
import { exportAuditLog } from '../src/audit/export-log.ts';
import { insertCheckpoint, insertLeaves, readLogState, storeTree } from '../src/audit/log-store.ts';
import { type LogFixture, makeEvent, origin } from './log-fixture.ts';

const batchRows = 1_000;
const actorCount = 50;

/** Fills the log with payments of some persons; the witness sees it several times on the way, and whole at the end. */
export async function fillLog(log: LogFixture, rowCount: number): Promise<void> {
  const people = Array.from({ length: actorCount }, () => uuidv7());
  const person = () => people[randomInt(people.length)] as string;
  for (let at = 0; at < rowCount; at += batchRows) {
    const rows = Math.min(batchRows, rowCount - at);
    await log.append(
      Array.from({ length: rows }, () => makeEvent({ actorId: person(), details: { note: 'as it was' } })),
    );
    if (at % (4 * batchRows) === 0) await log.checkpointer.cover(at + rows);
  }
  await log.checkpointer.cover(rowCount);
}

export interface Verified {
  readonly result: VerifyResult;
  /** The export that was verified. */
  readonly file: Buffer;
}

/** As an auditor does it: with keys of his own, and the checkpoint that he got from the witness. */
export async function verifyLog(log: LogFixture, queries: Queryable): Promise<Verified> {
  const witnessKeys = log.witness ? [log.witness.verifierKey] : [];
  const witnessed = await log.witness?.latest(origin);
  const logKeys = [formatVerifierKey(log.signer.key)];
  const chunks: Uint8Array[] = [];
  const options = { auditDatabase: queries, origin, logKeys, witnessKeys, cosignedOnly: false };
  for await (const chunk of exportAuditLog(options)) chunks.push(chunk);
  const result = await verifyExport({
    chunks: stream(chunks),
    logKeys,
    witnessKeys,
    trustedCheckpoints: witnessed ? [{ label: 'witness', note: witnessed }] : [],
    nowSeconds: Math.floor(Date.now() / 1_000),
  });
  return { result, file: Buffer.concat(chunks) };
}

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

class Undo extends Error {}

/** What is done to the tables with triggers off, looked at from inside the transaction and undone. */
export async function verifyTampered(
  log: LogFixture,
  tamper: (queries: Queryable) => Promise<unknown>,
): Promise<Verified> {
  let verified: Verified | undefined;
  await log.superuser
    .begin(async (sql) => {
      await sql`set local session_replication_role = replica`;
      const queries = queryableOver(sql as unknown as Queryable['sql']);
      await tamper(queries);
      verified = await verifyLog(log, queries);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
  if (!verified) throw new Error('nothing was verified');
  return verified;
}

/** With the real log key: a whole new log of the rows as they are now. */
export async function rewriteAndSign(log: LogFixture, queries: Queryable): Promise<void> {
  const { size } = await readLogState(queries);
  const records = await listRecordRange(queries, 0, size);
  await queries.sql`delete from log_leaf`;
  await queries.sql`delete from log_tile`;
  await queries.sql`delete from log_checkpoint`;
  let state = emptyTreeState();
  for (let at = 0; at < records.length; at += batchRows) {
    const leaves = records.slice(at, at + batchRows).map((record) => ({
      sequence: record.sequence,
      eventId: record.eventId,
      entry: recordToEntry(recordToAuditRecord(record), record.salt),
    }));
    await insertLeaves(queries, leaves);
    const grown = appendLeaves(
      state,
      leaves.map(({ entry }) => leafHash(entry)),
    );
    await storeTree(queries, grown.state, grown.tiles);
    state = grown.state;
  }
  const root = rootFromState(state);
  const note = await signCheckpoint({ origin, size, root, extensions: [] }, [log.signer]);
  await insertCheckpoint(queries, { size, root, note, cosigned: false });
}

export async function swapRows({ sql }: Queryable, one: number, other: number): Promise<void> {
  const aside = 1_000_000_000;
  await sql`update audit_record set sequence = ${aside} where sequence = ${one}`;
  await sql`update audit_record set sequence = ${one} where sequence = ${other}`;
  await sql`update audit_record set sequence = ${other} where sequence = ${aside}`;
}
