import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  WatchAuditEventsRequest,
  WatchAuditEventsResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/audit_event_pb.ts';
import type { Database } from '@strongroom/platform/database';
import type { Call } from '@strongroom/platform/rpc';
import { requestToFilter } from './audit-filter.ts';
import { type OpenDeps, recordToProto } from './audit-proto.ts';
import { findRecords } from './audit-search.ts';
import { readLogState } from './log-store.ts';
import type { LogTail } from './log-tail.ts';
import type { Watchers } from './watchers.ts';

const pageSize = 100;
/** Another process may take in events: the log itself is looked at this often, within the second that is promised. */
const pollIntervalMs = 500;
const keepAliveIntervalMs = 15_000;

export interface WatchDeps extends OpenDeps {
  readonly auditDatabase: Database;
  readonly logTail: LogTail;
  readonly watchers: Watchers;
}

/** Follows the log from a position. The caller resumes with the last sequence it saw and misses nothing. */
export async function* watchAuditEvents(
  deps: WatchDeps,
  request: WatchAuditEventsRequest,
  call: Call,
): AsyncGenerator<MessageInitShape<typeof WatchAuditEventsResponseSchema>> {
  const { auditDatabase, logTail, watchers } = deps;
  const filter = requestToFilter(request);
  const leave = watchers.enter();
  const ended = AbortSignal.any([call.signal, watchers.closing]);
  try {
    const { size } = await readLogState(auditDatabase);
    let seen = request.afterSequence === undefined ? size - 1 : Number(request.afterSequence);
    // Headers go out with the first message: the caller learns at once that the watch stands.
    yield {};
    let lastSentMs = performance.now();
    while (!ended.aborted) {
      // Read before the records: what comes after it is found in the next round.
      const upTo = (await readLogState(auditDatabase)).size - 1;
      const { records, reached } =
        upTo > seen
          ? await findRecords(auditDatabase, filter, { limit: pageSize, descending: false, after: seen })
          : { records: [] };
      for (const record of records) yield { event: await recordToProto(deps, record) };
      const last = records.at(-1)?.sequence ?? seen;
      const hasMore = records.length === pageSize || reached !== undefined;
      // A full page may have been cut; else all up to the size read before has been looked at, whatever the filter left.
      seen = hasMore ? (reached ?? last) : Math.max(last, upTo);
      if (records.length > 0) lastSentMs = performance.now();
      if (hasMore) continue;
      if (performance.now() - lastSentMs >= keepAliveIntervalMs) {
        yield {};
        lastSentMs = performance.now();
      }
      await logTail.changed(ended, pollIntervalMs);
    }
  } finally {
    leave();
  }
}
