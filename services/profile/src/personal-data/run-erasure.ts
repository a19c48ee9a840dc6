import type { CallOptions } from '@connectrpc/connect';
import { type Act, serviceAct } from '@strongroom/platform/database';
import { appendEvent } from '@strongroom/platform/outbox';
import { failpoint } from '@strongroom/platform/process';
import { deleteAvatar } from '../avatar/avatar-store.ts';
import type { Deps } from '../deps.ts';
import { deletePreferences } from '../preferences/preferences-store.ts';
import { deleteProfile } from '../profile/profile-store.ts';
import { type ErasureStep, stepsLeft } from './erasure.ts';
import { completeErasure, markStepDone, type StoredErasure } from './erasure-store.ts';

/** Does what is left of an erasure. Throws when a service can't be reached; the worker comes back to it. */
export async function runErasure(deps: Deps, erasure: StoredErasure, options: CallOptions): Promise<void> {
  const act = serviceAct('profile', { actorName: 'profile' });
  for (const step of stepsLeft(erasure.stepsDone)) {
    await runStep(deps, step, erasure.userId, options, act);
    await failpoint(`profile.erase.after-${step}`);
    await deps.database.transaction(act, (tx) => markStepDone(tx, erasure.id, step));
  }
  await deps.database.transaction(act, async (tx) => {
    const isFirst = await completeErasure(tx, erasure.id);
    if (!isFirst) return;
    await appendEvent(tx, act, {
      action: 'DATA_ERASED',
      resourceType: 'user',
      resourceId: erasure.userId,
      subjectId: erasure.userId,
      details: { erasureId: erasure.id },
    });
  });
}

async function runStep(
  { auth, payments, admin, database, staleReads }: Deps,
  step: ErasureStep,
  userId: string,
  options: CallOptions,
  act: Act,
): Promise<void> {
  switch (step) {
    case 'auth':
      await auth.deleteUser({ userId, reason: 'erasure', actorId: userId }, options);
      return;
    case 'payments':
      await payments.eraseUserData({ userId }, options);
      return;
    case 'profile':
      await database.transaction(act, async (tx) => {
        await deleteProfile(tx, userId);
        await deletePreferences(tx, userId);
        await deleteAvatar(tx, userId);
        await staleReads.forget(userId);
      });
      return;
    case 'audit':
      await admin.eraseSubject({ userId }, options);
      return;
    default:
      step satisfies never;
  }
}
