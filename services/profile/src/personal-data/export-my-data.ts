import { create, type MessageInitShape, toJson } from '@bufbuild/protobuf';
import { HttpBodySchema } from '@strongroom/gen/google/api/httpbody_pb.ts';
import { UserSchema } from '@strongroom/gen/strongroom/auth/v1/user_pb.ts';
import type {
  ExportMyDataRequest,
  ExportMyDataResponseSchema,
} from '@strongroom/gen/strongroom/profile/v1/personal_data_pb.ts';
import { appendEvent } from '@strongroom/platform/outbox';
import { actOf, asService, type Call, requirePrincipal } from '@strongroom/platform/rpc';
import { findAvatar } from '../avatar/avatar-store.ts';
import type { Deps } from '../deps.ts';
import { findPreferences } from '../preferences/preferences-store.ts';
import { findProfile } from '../profile/profile-store.ts';

/** All that every service holds about the caller (GDPR article 15), as one JSON document. Fails whole: no part is left out. */
export async function exportMyData(
  deps: Deps,
  _request: ExportMyDataRequest,
  call: Call,
): Promise<MessageInitShape<typeof ExportMyDataResponseSchema>> {
  const { userId } = requirePrincipal(call);
  const { database, auth, payments, admin } = deps;
  const service = asService(call);
  const [users, paymentData, auditEvents, own] = await Promise.all([
    auth.getUsers({ ids: [userId] }, service),
    payments.exportUserData({ userId }, service),
    admin.exportSubjectEvents({ userId }, service),
    ownData(deps, userId),
  ]);
  const [user] = users.users;
  const document = {
    exportTime: new Date().toISOString(),
    account: user === undefined ? null : toJson(UserSchema, user),
    ...own,
    payments: parseJson(paymentData.json),
    auditEvents: parseJson(auditEvents.json),
  };
  const act = actOf(call);
  await database.transaction(act, async (tx) => {
    await appendEvent(tx, act, {
      action: 'DATA_EXPORTED',
      resourceType: 'user',
      resourceId: userId,
      subjectId: userId,
    });
  });
  return {
    export: create(HttpBodySchema, {
      contentType: 'application/json',
      data: Buffer.from(JSON.stringify(document, null, 2)),
    }),
  };
}

async function ownData({ database, cipher }: Deps, userId: string) {
  const [profile, preferences, avatar] = await Promise.all([
    findProfile(database, cipher, userId),
    findPreferences(database, userId),
    findAvatar(database, userId),
  ]);
  return {
    profile: profile === undefined ? null : { ...profile, version: profile.version.toString() },
    preferences,
    avatarWebp: avatar?.toString('base64') ?? null,
  };
}

function parseJson(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? null : JSON.parse(Buffer.from(bytes).toString('utf8'));
}
