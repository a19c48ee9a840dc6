import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type {
  ListLedgerEntriesRequest,
  ListLedgerEntriesResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import { timestampToProto } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { requestedPage } from '@strongroom/platform/paging';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
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
  const scope = ['ledger-entries', principal.userId, userId, request.paymentId];
  const page = requestedPage(deps.keyring, scope, request);
  const found = await listEntries(deps.database, { ...page, userId, paymentId: request.paymentId });
  const { rows, nextPageToken } = page.cut(found, ({ createTime, id }) => [createTime, id]);
  return { entries: rows.map(entryToProto), nextPageToken };
}

function entryToProto({ createTime, userId, refundId, ...entry }: EntryRow) {
  return { ...entry, userId: userId ?? '', refundId: refundId ?? '', createTime: timestampToProto(createTime) };
}
