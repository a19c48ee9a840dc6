import type { ServiceImpl } from '@connectrpc/connect';
import type { PaymentsService } from '@strongroom/gen/strongroom/payments/v1/payments_service_pb.ts';
import { useCase, useStream } from '@strongroom/platform/rpc';
import type { Deps } from './deps.ts';
import { getBalances } from './ledger/get-balances.ts';
import { listLedgerEntries } from './ledger/list-ledger-entries.ts';
import { cancelPayment } from './payment/cancel-payment.ts';
import { createPayment } from './payment/create-payment.ts';
import { getPayment } from './payment/get-payment.ts';
import { listPayments } from './payment/list-payments.ts';
import { setPaymentStatus } from './payment/set-payment-status.ts';
import { updatePayment } from './payment/update-payment.ts';
import { watchPayments } from './payment/watch-payments.ts';
import { addPaymentMethod } from './payment-method/add-payment-method.ts';
import { listPaymentMethods } from './payment-method/list-payment-methods.ts';
import { removePaymentMethod } from './payment-method/remove-payment-method.ts';
import { eraseUserData } from './personal-data/erase-user-data.ts';
import { exportUserData } from './personal-data/export-user-data.ts';
import { getPaymentReceipt } from './receipt/get-payment-receipt.ts';
import { searchRecipients } from './recipient/search-recipients.ts';
import { listRefunds } from './refund/list-refunds.ts';
import { refundPayment } from './refund/refund-payment.ts';
import { getReport } from './report/get-report.ts';
import { receivePspWebhook } from './webhook/receive-psp-webhook.ts';
import { createWebhookEndpoint } from './webhook-endpoint/create-webhook-endpoint.ts';
import { deleteWebhookEndpoint } from './webhook-endpoint/delete-webhook-endpoint.ts';
import { listDeliveries } from './webhook-endpoint/list-deliveries.ts';
import { listWebhookEndpoints } from './webhook-endpoint/list-webhook-endpoints.ts';
import { redeliver } from './webhook-endpoint/redeliver.ts';
import { rotateSecret } from './webhook-endpoint/rotate-secret.ts';

export function createRoutes(deps: Deps): Partial<ServiceImpl<typeof PaymentsService>> {
  return {
    createPayment: useCase(createPayment, deps),
    getPayment: useCase(getPayment, deps),
    getPaymentReceipt: useCase(getPaymentReceipt, deps),
    listPayments: useCase(listPayments, deps),
    updatePayment: useCase(updatePayment, deps),
    cancelPayment: useCase(cancelPayment, deps),
    setPaymentStatus: useCase(setPaymentStatus, deps),
    refundPayment: useCase(refundPayment, deps),
    listRefunds: useCase(listRefunds, deps),
    searchRecipients: useCase(searchRecipients, deps),
    getReport: useCase(getReport, deps),
    addPaymentMethod: useCase(addPaymentMethod, deps),
    listPaymentMethods: useCase(listPaymentMethods, deps),
    removePaymentMethod: useCase(removePaymentMethod, deps),
    getBalances: useCase(getBalances, deps),
    listLedgerEntries: useCase(listLedgerEntries, deps),
    receivePspWebhook: useCase(receivePspWebhook, deps),
    createWebhookEndpoint: useCase(createWebhookEndpoint, deps),
    listWebhookEndpoints: useCase(listWebhookEndpoints, deps),
    deleteWebhookEndpoint: useCase(deleteWebhookEndpoint, deps),
    rotateSecret: useCase(rotateSecret, deps),
    listDeliveries: useCase(listDeliveries, deps),
    redeliver: useCase(redeliver, deps),
    watchPayments: useStream(watchPayments, deps),
    exportUserData: useCase(exportUserData, deps),
    eraseUserData: useCase(eraseUserData, deps),
  };
}
