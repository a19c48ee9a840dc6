import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type {
  GetBalancesRequest,
  GetBalancesResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/ledger_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { type BalanceRow, sumBalances, sumLedger, sumSystemBalances } from './ledger-store.ts';

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
    return { balances: (await sumBalances(deps.database, request.userId ?? principal.userId)).map(balanceToProto) };
  }
  const [system, own, sums] = await Promise.all([
    sumSystemBalances(deps.database),
    sumBalances(deps.database, principal.userId),
    sumLedger(deps.database),
  ]);
  const broken = sums.filter(({ minorUnits }) => minorUnits !== 0n);
  for (const { currencyCode, minorUnits } of sums) {
    deps.metrics.set('ledger_imbalance', Number(minorUnits), { currency: currencyCode });
  }
  return { balances: [...system, ...own].map(balanceToProto), balanced: broken.length === 0 };
}

function balanceToProto({ userId, account, currencyCode, minorUnits }: BalanceRow) {
  return { userId: userId ?? '', account, currencyCode, minorUnits };
}
