import { fromBinary } from '@bufbuild/protobuf';
import { type Notice, type NoticeContent, NoticeContentSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import type { Secret } from '../config/secret.ts';
import { createKeyring, type Keyring, keyringFromConfig, parseMasterKey } from '../crypto/keyring.ts';

/** Seals what a notice holds from the service that asks for it to profile, which sends it. */
export interface NoticeKey {
  /** The id of the notice is authenticated: a content can't be moved to another notice. */
  seal(content: Uint8Array, noticeId: string): Buffer;
  open(sealed: Uint8Array, noticeId: string): Buffer;
}

export function createNoticeKey(keyring: Keyring): NoticeKey {
  return {
    seal: (content, noticeId) => keyring.seal('notice', content, noticeId),
    open: (sealed, noticeId) => keyring.open('notice', sealed, noticeId),
  };
}

/** NOTICE_KEY, which those who ask for notices share with profile; without it all of them share the master key. */
export function noticeKeyFromConfig(
  config: Parameters<typeof keyringFromConfig>[0] & { readonly NOTICE_KEY?: Secret | undefined },
): NoticeKey {
  const key = config.NOTICE_KEY === undefined ? undefined : parseMasterKey(config.NOTICE_KEY.reveal());
  return createNoticeKey(key === undefined ? keyringFromConfig(config) : createKeyring([{ id: 'notice-1', key }]));
}

/** Throws OpenError for a content that isn't this notice's own. */
export function openNotice(noticeKey: NoticeKey, notice: Pick<Notice, 'id' | 'sealedContent'>): NoticeContent {
  return fromBinary(NoticeContentSchema, noticeKey.open(notice.sealedContent, notice.id));
}
