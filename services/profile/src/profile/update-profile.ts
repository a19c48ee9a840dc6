import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  UpdateProfileRequest,
  UpdateProfileResponseSchema,
} from '@strongroom/gen/strongroom/profile/v1/profile_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { fieldsOfMask, type ProfileFields, violationsOf } from './profile.ts';
import { profileEtag, profileToProto } from './profile-proto.ts';
import { ensureProfile, findProfile, untoldProfile, updateProfileRow } from './profile-store.ts';

export async function updateProfile(
  { database, cipher }: Deps,
  request: UpdateProfileRequest,
  call: Call,
): Promise<MessageInitShape<typeof UpdateProfileResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const { change, fields } = readChange(request);
  const act = actOf(call);
  const profile = await database.transaction(act, async (tx) => {
    await ensureProfile(tx, userId);
    const before = (await findProfile(tx, cipher, userId, { lock: true })) ?? untoldProfile(userId);
    if (request.etag !== undefined && request.etag !== profileEtag(before)) throw commonErrors.ETAG_MISMATCH();
    await updateProfileRow(tx, cipher, userId, change);
    await appendEvent(tx, act, {
      action: 'PROFILE_UPDATED',
      resourceType: 'profile',
      resourceId: userId,
      subjectId: userId,
      details: { fields: fields.join(',') },
    });
    return await findProfile(tx, cipher, userId);
  });
  return { profile: profileToProto(profile ?? untoldProfile(userId)) };
}

function readChange({ profile, updateMask }: UpdateProfileRequest): {
  change: Partial<ProfileFields>;
  fields: readonly (keyof ProfileFields)[];
} {
  const { fields, violations } = fieldsOfMask(updateMask?.paths ?? []);
  if (fields.length === 0 && violations.length === 0) {
    violations.push({ field: 'update_mask', rule: 'required', message: 'Name at least one field to change.' });
  }
  const change = Object.fromEntries(fields.map((field) => [field, profile?.[field] ?? ''])) as Partial<ProfileFields>;
  violations.push(...violationsOf(change, new Date()));
  if (violations.length > 0) throw commonErrors.VALIDATION_FAILED({ violations });
  return { change, fields };
}
