import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type {
  ListLedgerEntriesRequest,
  ListLedgerEntriesResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { pageSizeOf, pageToken, readPageToken, splitPage } from '../paging/page-token.ts';
import { type EntryRow, listEntries } from './ledger-store.ts';

export async function listLedgerEntries(
  deps: Pick<Deps, 'database' | 'keyring'>,
  request: ListLedgerEntriesRequest,
  call: Call,
): Promise<MessageInitShape<typeof ListLedgerEntriesResponseSchema>> {
  const principal = requirePrincipal(call);
  const isAdmin = principal.role === Role.ADMIN;
  if (request.userId !== undefined && request.userId !== principal.userId && !isAdmin) throw commonErrors.FORBIDDEN();
  const userId = request.userId ?? (isAdmin ? undefined : principal.userId);
  const size = pageSizeOf(request.pageSize);
  const scope = ['ledger-entries', principal.userId, userId, request.paymentId];
  const rows = await listEntries(deps.database, {
    userId,
    paymentId: request.paymentId,
    after: readPageToken(deps.keyring, scope, request.pageToken),
    rowsMax: size + 1,
  });
  const { page, last } = splitPage(rows, size);
  return {
    entries: page.map(entryToProto),
    nextPageToken: last === undefined ? '' : pageToken(deps.keyring, scope, [last.createTime, last.id]),
  };
}

function entryToProto({ createTime, userId, refundId, ...entry }: EntryRow) {
  return { ...entry, userId: userId ?? '', refundId: refundId ?? '', createTime: timestampToProto(createTime) };
}
