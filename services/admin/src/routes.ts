import type { ServiceImpl } from '@connectrpc/connect';
import type { AdminService } from '@strongroom/gen/strongroom/admin/v1/admin_service_pb.ts';
import { useCase, useStream } from '@strongroom/platform/rpc';
import { listAnomalies } from './anomaly/list-anomalies.ts';
import { resolveAnomaly } from './anomaly/resolve-anomaly.ts';
import { confirmEvents } from './audit/confirm-events.ts';
import { listAuditActions } from './audit/list-audit-actions.ts';
import { listAuditEvents } from './audit/list-audit-events.ts';
import { watchAuditEvents } from './audit/watch-audit-events.ts';
import type { Deps } from './deps.ts';
import { eraseSubject } from './erasure/erase-subject.ts';
import { exportSubjectEvents } from './erasure/export-subject-events.ts';
import { listFlags } from './flag/list-flags.ts';
import { setFlag } from './flag/set-flag.ts';
import { getSystemHealth } from './health/get-system-health.ts';
import { checkLegalHold } from './hold/check-legal-hold.ts';
import { releaseLegalHold } from './hold/release-legal-hold.ts';
import { setLegalHold } from './hold/set-legal-hold.ts';
import { generateComplianceReport } from './report/generate-compliance-report.ts';
import { getReport } from './report/get-report.ts';
import { listReports } from './report/list-reports.ts';
import { getCheckpoint } from './transparency/get-checkpoint.ts';
import { getConsistencyProof } from './transparency/get-consistency-proof.ts';
import { getInclusionProof } from './transparency/get-inclusion-proof.ts';
import { getReceipt } from './transparency/get-receipt.ts';
import { getTile } from './transparency/get-tile.ts';
import { createUser } from './user/create-user.ts';
import { deleteUser } from './user/delete-user.ts';
import { getUser } from './user/get-user.ts';
import { listUsers } from './user/list-users.ts';
import { revokeUserSessions } from './user/revoke-user-sessions.ts';
import { setUserRole } from './user/set-user-role.ts';
import { setUserStatus } from './user/set-user-status.ts';
import { updateUser } from './user/update-user.ts';

export function createRoutes(deps: Deps): Partial<ServiceImpl<typeof AdminService>> {
  return {
    listUsers: useCase(listUsers, deps),
    getUser: useCase(getUser, deps),
    createUser: useCase(createUser, deps),
    updateUser: useCase(updateUser, deps),
    setUserRole: useCase(setUserRole, deps),
    setUserStatus: useCase(setUserStatus, deps),
    deleteUser: useCase(deleteUser, deps),
    revokeUserSessions: useCase(revokeUserSessions, deps),
    listAuditEvents: useCase(listAuditEvents, deps),
    listAuditActions: useCase(listAuditActions, deps),
    watchAuditEvents: useStream(watchAuditEvents, deps),
    confirmEvents: useCase(confirmEvents, deps),
    getCheckpoint: useCase(getCheckpoint, deps),
    getInclusionProof: useCase(getInclusionProof, deps),
    getReceipt: useCase(getReceipt, deps),
    getConsistencyProof: useCase(getConsistencyProof, deps),
    getTile: useCase(getTile, deps),
    listFlags: useCase(listFlags, deps),
    setFlag: useCase(setFlag, deps),
    getSystemHealth: useCase(getSystemHealth, deps),
    generateComplianceReport: useCase(generateComplianceReport, deps),
    getReport: useCase(getReport, deps),
    listReports: useCase(listReports, deps),
    listAnomalies: useCase(listAnomalies, deps),
    resolveAnomaly: useCase(resolveAnomaly, deps),
    setLegalHold: useCase(setLegalHold, deps),
    releaseLegalHold: useCase(releaseLegalHold, deps),
    checkLegalHold: useCase(checkLegalHold, deps),
    eraseSubject: useCase(eraseSubject, deps),
    exportSubjectEvents: useCase(exportSubjectEvents, deps),
  };
}
