import type { MessageInitShape } from '@bufbuild/protobuf';
import { Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import type {
  CurrencyReportSchema,
  GetReportRequest,
  GetReportResponseSchema,
} from '@strongroom/gen/strongroom/payments/v1/report_pb.ts';
import { protoToTimestamp, timestampToProto } from '@strongroom/platform/database';
import { commonErrors } from '@strongroom/platform/errors';
import { type Call, requirePrincipal } from '@strongroom/platform/rpc';
import type { Deps } from '../deps.ts';
import { paymentStatusToProto, paymentTypeToProto } from '../payment/payment-proto.ts';
import { type ReportRow, sumPayments } from './report-store.ts';

const dayMs = 86_400_000;
const periodDefaultMs = 30 * dayMs;
const periodMaxMs = 366 * dayMs;

/** Sent and received alike; amounts of different currencies are never added (fault 27). */
export async function getReport(
  deps: Pick<Deps, 'database' | 'now'>,
  request: GetReportRequest,
  call: Call,
): Promise<MessageInitShape<typeof GetReportResponseSchema>> {
  const { role, userId } = requirePrincipal(call);
  const { startTime, endTime } = periodOf(request, deps.now());
  const rows = await sumPayments(deps.database, role === Role.ADMIN ? undefined : userId, startTime, endTime);
  const byCurrency = Map.groupBy(rows, ({ currencyCode }) => currencyCode);
  return {
    currencies: [...byCurrency].map(([currencyCode, its]) => currencyReport(currencyCode, its)),
    startTime: timestampToProto(startTime),
    endTime: timestampToProto(endTime),
  };
}

function periodOf(request: GetReportRequest, nowMs: number): { startTime: string; endTime: string } {
  const endTime = request.endTime === undefined ? new Date(nowMs).toISOString() : protoToTimestamp(request.endTime);
  const endMs = Date.parse(endTime);
  const defaultStart = new Date(endMs - periodDefaultMs).toISOString();
  const startTime = request.startTime === undefined ? defaultStart : protoToTimestamp(request.startTime);
  const lengthMs = endMs - Date.parse(startTime);
  if (lengthMs <= 0 || lengthMs > periodMaxMs) {
    throw commonErrors.VALIDATION_FAILED({
      violations: [{ field: 'start_time', rule: 'report.period', message: 'before end_time, at most 366 days' }],
    });
  }
  return { startTime, endTime };
}

function currencyReport(
  currencyCode: string,
  rows: readonly ReportRow[],
): MessageInitShape<typeof CurrencyReportSchema> {
  return {
    currencyCode,
    paymentCount: sum(rows, 'count'),
    totalMinorUnits: sum(rows, 'total'),
    refundedMinorUnits: sum(rows, 'refunded'),
    byStatus: [...Map.groupBy(rows, ({ status }) => status)].map(([status, its]) => ({
      status: paymentStatusToProto(status),
      ...countAndTotal(its),
    })),
    byType: [...Map.groupBy(rows, ({ type }) => type)].map(([type, its]) => ({
      type: paymentTypeToProto(type),
      ...countAndTotal(its),
    })),
  };
}

function countAndTotal(rows: readonly ReportRow[]) {
  return { paymentCount: sum(rows, 'count'), totalMinorUnits: sum(rows, 'total') };
}

function sum(rows: readonly ReportRow[], column: 'count' | 'total' | 'refunded'): bigint {
  return rows.reduce((total, row) => total + row[column], 0n);
}
