export {
  type AuditAction,
  auditActions,
  isAuditAction,
  isResourceType,
  type ResourceType,
  resourceTypes,
} from './closed-lists.ts';
