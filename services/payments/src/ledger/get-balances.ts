import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type {
  GetBalancesRequest,
  GetBalancesResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { isLedgerBalanced } from './check-ledger.ts';
import { areTransactionsBalanced, type BalanceRow, sumBalances, sumSystemBalances } from './ledger-store.ts';

/** Balances are sums of entries, made when they are asked for: there is no second number that could differ. */
export async function getBalances(
  deps: Pick<Deps, 'database' | 'metrics'>,
  request: GetBalancesRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetBalancesResponseSchema>> {
  const principal = requirePrincipal(call);
  const isAdmin = principal.role === Role.ADMIN;
  if (request.userId !== undefined && request.userId !== principal.userId && !isAdmin) throw commonErrors.FORBIDDEN();
  if (!isAdmin || request.userId !== undefined) {
    const userId = request.userId ?? principal.userId;
    const [balances, balanced] = await Promise.all([
      sumBalances(deps.database, userId),
      areTransactionsBalanced(deps.database, userId),
    ]);
    return { balances: balances.map(balanceToProto), balanced };
  }
  const [system, own, balanced] = await Promise.all([
    sumSystemBalances(deps.database),
    sumBalances(deps.database, principal.userId),
    isLedgerBalanced(deps),
  ]);
  return { balances: [...system, ...own].map(balanceToProto), balanced };
}

function balanceToProto({ userId, account, currencyCode, minorUnits }: BalanceRow) {
  return { userId: userId ?? '', account, currencyCode, minorUnits };
}
