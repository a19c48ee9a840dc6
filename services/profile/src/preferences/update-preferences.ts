import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  PreferencesSchema,
  type UpdatePreferencesRequest,
  type UpdatePreferencesResponseSchema,
} from '@strongroom/gen/strongroom/profile/v1/preferences_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { mergePreferences, violationsOf } from './preferences.ts';
import { preferencesFromProto, preferencesToProto } from './preferences-proto.ts';
import { ensurePreferences, findPreferences, replacePreferences } from './preferences-store.ts';

export async function updatePreferences(
  { database }: Deps,
  request: UpdatePreferencesRequest,
  call: Call,
): Promise<MessageInitShape<typeof UpdatePreferencesResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const change = preferencesFromProto(request.preferences ?? create(PreferencesSchema));
  const violations = violationsOf(change);
  if (violations.length > 0) throw commonErrors.VALIDATION_FAILED({ violations });
  const act = actOf(call);
  const merged = await database.transaction(act, async (tx) => {
    await ensurePreferences(tx, userId);
    const document = mergePreferences(await findPreferences(tx, userId, { lock: true }), change);
    await replacePreferences(tx, userId, document);
    await appendEvent(tx, act, {
      action: 'PROFILE_UPDATED',
      resourceType: 'profile',
      resourceId: userId,
      subjectId: userId,
      details: {
        fields: Object.keys(change)
          .map((field) => `preferences.${field}`)
          .join(','),
      },
    });
    return document;
  });
  return { preferences: preferencesToProto(merged) };
}
