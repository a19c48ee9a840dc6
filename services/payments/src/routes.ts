import type { ServiceImpl } from '@connectrpc/connect';
import type { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useCase } from '@strongroom/platform/rpc';
import type { Deps } from './deps.ts';
import { getBalances } from './ledger/get-balances.ts';
import { listLedgerEntries } from './ledger/list-ledger-entries.ts';
import { cancelPayment } from './payment/cancel-payment.ts';
import { createPayment } from './payment/create-payment.ts';
import { getPayment } from './payment/get-payment.ts';
import { listPayments } from './payment/list-payments.ts';
import { listRefunds } from './refund/list-refunds.ts';
import { refundPayment } from './refund/refund-payment.ts';
import { receivePspWebhook } from './webhook/receive-psp-webhook.ts';

export function createRoutes(deps: Deps): Partial<ServiceImpl<typeof PaymentsService>> {
  return {
    createPayment: useCase(createPayment, deps),
    getPayment: useCase(getPayment, deps),
    listPayments: useCase(listPayments, deps),
    cancelPayment: useCase(cancelPayment, deps),
    refundPayment: useCase(refundPayment, deps),
    listRefunds: useCase(listRefunds, deps),
    getBalances: useCase(getBalances, deps),
    listLedgerEntries: useCase(listLedgerEntries, deps),
    receivePspWebhook: useCase(receivePspWebhook, deps),
  };
}
