export type { AuditAction, ResourceType } from '../events/closed-lists.ts';
export { auditActions, resourceTypes } from '../events/closed-lists.ts';
export {
  appendEvent,
  appendNotice,
  eventRow,
  type NewEvent,
  type NewNotice,
  noticeRow,
  type OutboxRow,
  outboxInsert,
} from './append.ts';
export { createNoticeKey, type NoticeKey, noticeKeyFromConfig, openNotice } from './notice-key.ts';
export { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts';
export type { OutboxState } from './outbox-store.ts';
export { publishEvent } from './publish-event.ts';
