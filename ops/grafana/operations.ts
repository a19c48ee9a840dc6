import { type Dashboard, perSecond, quantile } from './dashboard.ts';

/** Whether the system does its work: traffic, database, resilience, the audit log and the money. */
export const operationsDashboard: Dashboard = {
  uid: 'strongroom-operations',
  title: 'Strongroom: operations',
  groups: [
    {
      title: 'Traffic',
      panels: [
        {
          title: 'Requests at the edge',
          unit: 'reqps',
          queries: { '{{status}}': perSecond('http_requests_total', ['status']) },
        },
        {
          title: 'Share of faults',
          help: 'Requests answered with 5xx. The objective allows 0.1 % in 30 days.',
          unit: 'percentunit',
          queries: {
            '5 minutes': 'strongroom:http_errors:ratio_rate5m',
            '1 hour': 'strongroom:http_errors:ratio_rate1h',
            '6 hours': 'strongroom:http_errors:ratio_rate6h',
          },
        },
        {
          title: 'Duration at the edge',
          unit: 's',
          queries: {
            p50: quantile(0.5, 'http_request_duration_seconds'),
            p95: quantile(0.95, 'http_request_duration_seconds'),
            p99: quantile(0.99, 'http_request_duration_seconds'),
          },
        },
        {
          title: 'Duration of calls, p95',
          unit: 's',
          queries: { '{{service}} {{method}}': quantile(0.95, 'rpc_server_duration_seconds', ['service', 'method']) },
        },
        {
          title: 'Processes and their checks',
          help: '1 is well.',
          queries: {
            '{{instance}} answers': 'up{job="strongroom"}',
            '{{process}}: {{check}}': 'min by (process, check) (health_status)',
          },
        },
        {
          title: 'Processor and event loop',
          queries: {
            '{{process}} processors': perSecond('process_cpu_seconds_total', ['process']),
            '{{process}} loop lag p99 (s)': 'max by (process) (nodejs_eventloop_lag_p99_seconds)',
          },
        },
        {
          title: 'Memory',
          unit: 'bytes',
          queries: { '{{process}}': 'max by (process) (process_resident_memory_bytes)' },
        },
        {
          title: 'Feature flags',
          kind: 'stat',
          queries: { '{{flag}}': 'max by (flag) (feature_flag_state)' },
        },
      ],
    },
    {
      title: 'Database',
      panels: [
        {
          title: 'Pools',
          queries: {
            '{{process}} active': 'sum by (process) (db_pool_active_connections)',
            '{{process}} idle': 'sum by (process) (db_pool_idle_connections)',
            '{{process}} open': 'sum by (process) (db_pool_total_connections)',
            '{{process}} at most': 'sum by (process) (db_pool_max_connections)',
          },
        },
        {
          title: 'Callers that wait for a connection',
          queries: {
            '{{process}} wait': 'sum by (process) (db_pool_waiting_requests)',
            '{{process}} gave up (5 min)': 'sum by (process) (increase(db_connection_timeouts_total[5m]))',
          },
        },
        {
          title: 'Wait for a connection, p95',
          unit: 's',
          queries: { '{{database}}': quantile(0.95, 'db_connection_acquisition_duration_seconds', ['database']) },
        },
        {
          title: 'Queries',
          unit: 'cps',
          queries: { '{{process}} {{outcome}}': perSecond('db_queries_total', ['process', 'outcome']) },
        },
        {
          title: 'Duration of queries, p95',
          unit: 's',
          queries: { '{{action}} {{table}}': quantile(0.95, 'db_query_duration_seconds', ['action', 'table']) },
        },
        {
          title: 'Slow queries',
          help: 'Over DB_SLOW_QUERY_THRESHOLD_MS.',
          unit: 'cps',
          queries: { '{{action}} {{table}}': perSecond('db_slow_queries_total', ['action', 'table']) },
        },
        {
          title: 'Cancelled and repeated',
          unit: 'cps',
          queries: {
            'cancelled at the deadline: {{database}}': perSecond('db_queries_cancelled_total', ['database']),
            'transaction begun again: {{database}}': perSecond('db_transaction_retries_total', ['database']),
          },
        },
      ],
    },
    {
      title: 'Resilience',
      panels: [
        {
          title: 'Circuit breakers',
          help: '0 closed, 1 on trial, 2 open.',
          queries: { '{{process}} → {{name}}': 'max by (process, name) (circuit_breaker_state)' },
        },
        {
          title: 'Changes of breakers in 5 minutes',
          queries: {
            '{{process}} → {{name}} {{event}}':
              'sum by (process, name, event) (increase(circuit_breaker_events_total[5m]))',
          },
        },
        {
          title: 'Retries',
          unit: 'cps',
          queries: {
            '{{process}} → {{target}}': perSecond('rpc_client_retries_total', ['process', 'target']),
            '{{process}} → {{target}}: refused by the budget': perSecond('rpc_client_retry_budget_exhausted_total', [
              'process',
              'target',
            ]),
          },
        },
        {
          title: 'Calls between services',
          unit: 'cps',
          queries: {
            '{{process}} → {{target}} {{code}}': perSecond('rpc_client_requests_total', ['process', 'target', 'code']),
          },
        },
        {
          title: 'Duration of calls between services, p95',
          unit: 's',
          queries: { '{{process}} → {{target}}': quantile(0.95, 'rpc_client_duration_seconds', ['process', 'target']) },
        },
        {
          title: 'Load shed',
          queries: {
            '{{name}} {{criticality}} (calls/s)': perSecond('load_shed_total', ['name', 'criticality']),
            '{{name}} may run at once': 'max by (name) (concurrency_limit)',
          },
        },
        {
          title: 'Bus',
          queries: {
            '{{process}} connected': 'min by (process) (bus_connected)',
            '{{process}} connected again (1 h)': 'sum by (process) (increase(bus_reconnects_total[1h]))',
            '{{stream}} made anew (1 h)': 'sum by (stream) (increase(bus_streams_created_total[1h]))',
          },
        },
        {
          title: 'Answers from a cache while a dependency was down',
          unit: 'cps',
          queries: { '{{kind}}': perSecond('stale_reads_total', ['kind']) },
        },
      ],
    },
    {
      title: 'Audit log',
      panels: [
        {
          title: 'Lag',
          help: 'Age of the newest event when it entered the log, and of the oldest that has not been confirmed.',
          unit: 's',
          queries: {
            'at its entry': 'max(audit_lag_seconds)',
            'oldest of {{source}}': 'max by (source) (outbox_oldest_age_seconds)',
          },
        },
        {
          title: 'Events',
          unit: 'cps',
          queries: {
            'from {{source}}': perSecond('audit_events_ingested_total', ['source']),
            'batch, mean':
              'sum(rate(audit_ingest_batch_size_sum[$__rate_interval])) / sum(rate(audit_ingest_batch_size_count[$__rate_interval]))',
          },
        },
        {
          title: 'Outboxes',
          queries: {
            '{{source}} to be sent': 'max by (source) (outbox_pending)',
            '{{source}} to be confirmed': 'max by (source) (outbox_unconfirmed)',
          },
        },
        {
          title: 'Outbox traffic',
          unit: 'cps',
          queries: {
            '{{source}} {{kind}} sent': perSecond('outbox_published_total', ['source', 'kind']),
            '{{source}} confirmed': perSecond('outbox_confirmed_total', ['source']),
            '{{source}} sent again': perSecond('outbox_republished_total', ['source']),
            '{{source}} refused by the bus': perSecond('outbox_publish_failures_total', ['source']),
          },
        },
        {
          title: 'Consumers',
          queries: {
            '{{durable}} waiting': 'max by (durable) (bus_consumer_lag)',
            '{{durable}} {{outcome}} (1/s)': perSecond('bus_messages_total', ['durable', 'outcome']),
          },
        },
        {
          title: 'Parked events',
          queries: {
            now: 'max(audit_parked_events)',
            '{{reason}} (1 h)': 'sum by (reason) (increase(audit_events_parked_total[1h]))',
          },
        },
        {
          title: 'Age of the last checkpoint',
          unit: 's',
          queries: { cosigned: 'max(audit_checkpoint_age_seconds)' },
        },
        {
          title: 'Size',
          queries: { log: 'max(audit_log_size)', checkpoint: 'max(audit_checkpoint_size)' },
        },
        {
          title: 'Writes that no request explains, in 1 hour',
          queries: {
            'many rows: {{operation}}': 'sum by (operation) (increase(audit_bulk_writes_total[1h]))',
            'no actor: {{operation}}': 'sum by (operation) (increase(audit_actorless_writes_total[1h]))',
          },
        },
        {
          title: 'Anomalies and failed checks of the log, in 1 hour',
          queries: {
            '{{rule}} → {{action}}': 'sum by (rule, action) (increase(anomalies_detected_total[1h]))',
            'the log is not what was signed': 'sum(increase(audit_verification_failures_total[1h]))',
          },
        },
      ],
    },
    {
      title: 'Payments',
      panels: [
        {
          title: 'Payments made',
          unit: 'cps',
          queries: { '{{type}} {{currency}}': perSecond('payments_created_total', ['type', 'currency']) },
        },
        {
          title: 'Calls of the payment provider',
          unit: 'cps',
          queries: {
            '{{operation}} {{outcome}}': perSecond('payments_psp_requests_total', ['operation', 'outcome']),
            'asked later: {{outcome}}': perSecond('payments_reconciled_total', ['outcome']),
          },
        },
        {
          title: 'Duration of calls of the payment provider, p95',
          unit: 's',
          queries: { '{{operation}}': quantile(0.95, 'payments_psp_duration_seconds', ['operation']) },
        },
        {
          title: 'Idempotency keys',
          unit: 'cps',
          queries: { '{{outcome}}': perSecond('idempotency_outcomes_total', ['outcome']) },
        },
        {
          title: 'Imbalance of the ledger',
          help: 'In minor units; must be 0.',
          kind: 'stat',
          queries: { '{{currency}}': 'max by (currency) (abs(ledger_imbalance))' },
        },
        {
          title: 'Work that waits',
          queries: {
            'scheduled payments due': 'max(payments_scheduled_due)',
            'webhooks to deliver': 'max(webhook_deliveries_pending)',
          },
        },
        {
          title: 'Webhooks to merchants and notices to people',
          unit: 'cps',
          queries: {
            'webhook {{outcome}}': perSecond('webhook_deliveries_total', ['outcome']),
            '{{template}} {{outcome}}': perSecond('notices_total', ['template', 'outcome']),
          },
        },
      ],
    },
  ],
};
