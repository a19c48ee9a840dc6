import type { MessageInitShape } from '@bufbuild/protobuf';
import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type {
  SearchRecipientsRequest,
  SearchRecipientsResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/payment_pb.ts';
import { asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { listPastRecipients } from './recipient-store.ts';

const matchesMax = 10;

/**
 * Whoever knows an address finds its owner; beyond that only people whom the caller has paid before. There is no way to
 * read the directory (fault 30), and no answer holds an address.
 */
export async function searchRecipients(
  deps: Pick<Deps, 'auth' | 'database'>,
  { query }: SearchRecipientsRequest,
  call: Call,
): Promise<MessageInitShape<typeof SearchRecipientsResponseSchema>> {
  const { userId } = requirePrincipal(call);
  if (query.includes('@')) {
    const { user } = await deps.auth.findUserByEmail({ email: query.toLowerCase() }, asService(call));
    const isOther = user !== undefined && user.id !== '' && user.id !== userId;
    return { recipients: isOther ? [{ id: user.id, name: user.name }] : [] };
  }
  const ids = await listPastRecipients(deps.database, userId);
  if (ids.length === 0) return { recipients: [] };
  const { users } = await deps.auth.getUsers({ ids }, asService(call));
  const byId = new Map(users.map((user) => [user.id, user]));
  const wanted = query.toLowerCase();
  const recipients = ids
    .flatMap((id) => byId.get(id) ?? [])
    .filter(({ name, status }) => status === UserStatus.ACTIVE && name.toLowerCase().startsWith(wanted))
    .slice(0, matchesMax)
    .map(({ id, name }) => ({ id, name }));
  return { recipients };
}
