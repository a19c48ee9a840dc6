import { fromBinary } from '@bufbuild/protobuf';
import { type Notice, type NoticeContent, NoticeContentSchema } from '@strongroom/gen/strongroom/events/v1/event_pb.ts';
import type { Keyring } from '../crypto/keyring.ts';

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

/** Throws OpenError for a content that isn't this notice's own. */
export function openNotice(noticeKey: NoticeKey, notice: Pick<Notice, 'id' | 'sealedContent'>): NoticeContent {
  return fromBinary(NoticeContentSchema, noticeKey.open(notice.sealedContent, notice.id));
}
