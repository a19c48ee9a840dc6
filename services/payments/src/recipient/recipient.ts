import { UserStatus } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { asService, type Call } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { errors } from '../errors.ts';

export interface RecipientQuestion {
  readonly recipientId?: string | undefined;
  readonly recipientEmail?: string | undefined;
}

/** Asks auth, which owns people: there is no replica that could be behind (faults 29, 31). */
export async function resolveRecipient(
  { auth }: Pick<Deps, 'auth'>,
  { recipientId, recipientEmail }: RecipientQuestion,
  call: Call,
): Promise<string> {
  if ((recipientId === undefined) === (recipientEmail === undefined)) {
    throw commonErrors.VALIDATION_FAILED({
      violations: [
        {
          field: 'recipient_id',
          rule: 'recipient.exactly_one',
          message: 'exactly one of recipient_id and recipient_email',
        },
      ],
    });
  }
  if (recipientId !== undefined) {
    const { users } = await auth.getUsers({ ids: [recipientId] }, asService(call));
    const user = users.find(({ id }) => id === recipientId);
    if (user?.status !== UserStatus.ACTIVE) throw errors.RECIPIENT_NOT_FOUND();
    return user.id;
  }
  const { user } = await auth.findUserByEmail({ email: recipientEmail ?? '' }, asService(call));
  if (user === undefined || user.id === '') throw errors.RECIPIENT_NOT_FOUND();
  return user.id;
}
