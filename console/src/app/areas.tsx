import { messageRoutes, type PageRoute, page } from './page-routes.tsx';

/** Every page of somebody who is signed in. The server decides who may see what, and its refusal is shown. */
export const pageRoutes: readonly PageRoute[] = [
  page('/payments', () => import('../payments/payments-page.tsx'), 'PaymentsPage'),
  page('/payments/new', () => import('../payments/new-payment-page.tsx'), 'NewPaymentPage'),
  page('/payments/report', () => import('../payments/report-page.tsx'), 'ReportPage'),
  page('/payments/:id', () => import('../payments/payment-page.tsx'), 'PaymentPage'),
  page('/payment-methods', () => import('../payments/payment-methods-page.tsx'), 'PaymentMethodsPage'),
  page('/webhooks', () => import('../webhooks/webhooks-page.tsx'), 'WebhooksPage'),
  page('/webhooks/:id', () => import('../webhooks/webhook-page.tsx'), 'WebhookPage'),
  page('/proof', () => import('../proof/proof-page.tsx'), 'ProofPage'),
  page('/ledger', () => import('../ledger/ledger-page.tsx'), 'LedgerPage'),
  page('/account', () => import('../account/account-page.tsx'), 'AccountPage'),
  page('/account/security', () => import('../account/security-page.tsx'), 'SecurityPage'),
  page('/account/sessions', () => import('../account/sessions-page.tsx'), 'SessionsPage'),
  page('/account/data', () => import('../account/data-page.tsx'), 'DataPage'),
  page('/admin/users', () => import('../admin/users/users-page.tsx'), 'UsersPage'),
  page('/admin/users/:id', () => import('../admin/users/user-page.tsx'), 'UserPage'),
  page('/admin/lockouts', () => import('../admin/lockouts/lockouts-page.tsx'), 'LockoutsPage'),
  page('/admin/audit', () => import('../admin/audit/audit-page.tsx'), 'AuditPage'),
  page('/admin/keys', () => import('../admin/keys/keys-page.tsx'), 'KeysPage'),
  page('/admin/flags', () => import('../admin/flags/flags-page.tsx'), 'FlagsPage'),
  page('/admin/anomalies', () => import('../admin/anomalies/anomalies-page.tsx'), 'AnomaliesPage'),
  page('/admin/health', () => import('../admin/health/health-page.tsx'), 'HealthPage'),
  page('/admin/reports', () => import('../admin/reports/reports-page.tsx'), 'ReportsPage'),
  ...messageRoutes,
];
