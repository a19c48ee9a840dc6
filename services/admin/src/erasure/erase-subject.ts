import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  EraseSubjectRequest,
  EraseSubjectResponseSchema,
} from '@strongroom/gen/strongroom/admin/v1/legal_hold_pb.ts';
import type { Database } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { actOf, type Call } from '@strongroom/platform/rpc';
import { errors } from '../errors.ts';
import { findActiveHold, lockPerson } from '../hold/hold-store.ts';
import { deleteBaseline, insertErasure, lockKeystore } from './erasure-store.ts';
import type { PersonKeystore } from './person-keystore.ts';

/**
 * Destroys the person's key, after which nobody can read what the log holds about the person, while every leaf stays what
 * it was. The key goes last before the commit, under the lock that a hold takes: a record of an erasure is never there
 * without it, and a crash between the two is put right by the caller, who asks until it is done (profile's EraseMe).
 */
export async function eraseSubject(
  { database, keystore }: { readonly database: Database; readonly keystore: PersonKeystore },
  request: EraseSubjectRequest,
  call: Call,
): Promise<MessageInitShape<typeof EraseSubjectResponseSchema>> {
  const userId = request.userId.toLowerCase();
  const act = actOf(call);
  const erased = await database.transaction(act, async (tx) => {
    await lockPerson(tx, userId);
    if (await findActiveHold(tx, userId)) throw errors.LEGAL_HOLD_ACTIVE();
    await deleteBaseline(tx, userId);
    if (await insertErasure(tx, userId)) {
      await appendEvent(tx, act, {
        action: 'DATA_ERASED',
        resourceType: 'user',
        resourceId: userId,
        subjectId: userId,
        details: { what: 'personal data in the audit log' },
      });
    }
    await lockKeystore(tx);
    const isDestroyed = await keystore.erase(userId);
    await failpoint('admin.erase.before-commit');
    return isDestroyed;
  });
  return { erased };
}
