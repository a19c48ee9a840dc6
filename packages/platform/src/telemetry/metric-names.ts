type MetricType = 'counter' | 'gauge' | 'histogram';

export interface MetricDefinition {
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

function counter<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { type: 'counter', help, labels: (labels ?? []) as L } as const;
}
function gauge<const L extends readonly string[] = []>(help: string, labels?: L) {
  return { type: 'gauge', help, labels: (labels ?? []) as L } as const;
}
function histogram<const L extends readonly string[] = []>(
  help: string,
  labels?: L,
  buckets: readonly number[] = callBuckets,
) {
  return { type: 'histogram', help, labels: (labels ?? []) as L, buckets } as const;
}

/** Every metric there is. No label holds an id of a person or a free text: each has few values. */
export const metricDefinitions = {
  // Database (S4.1, S4.2)
  db_pool_active_connections: gauge('Connections that run something now.', ['database']),
  db_pool_idle_connections: gauge('Open connections that run nothing.', ['database']),
  db_pool_waiting_requests: gauge('Callers that wait for a connection.', ['database']),
  db_pool_total_connections: gauge('Open connections.', ['database']),
  db_pool_max_connections: gauge('Most connections that the pool may open.', ['database']),
  db_connection_timeouts_total: counter('Callers that got no connection in time.', ['database']),
  db_connection_acquisition_duration_seconds: histogram('Wait for a connection.', ['database']),
  db_queries_total: counter('Queries by table, action and outcome.', ['table', 'action', 'outcome']),
  db_query_duration_seconds: histogram('Duration of queries.', ['table', 'action']),
  db_slow_queries_total: counter('Queries over DB_SLOW_QUERY_THRESHOLD_MS.', ['table', 'action']),
  db_transaction_retries_total: counter('Transactions begun again after 40001 or 40P01.', ['database']),
  db_queries_cancelled_total: counter('Queries that were cancelled at their deadline.', ['database']),
  // Outbox and bus (B-outbox)
  outbox_pending: gauge('Outbox rows that the bus has not taken.', ['source']),
  outbox_unconfirmed: gauge('Outbox rows that the bus has taken and the audit database has not confirmed.', ['source']),
  outbox_oldest_age_seconds: gauge('Age of the oldest outbox row.', ['source']),
  outbox_published_total: counter('Outbox rows published, by kind.', ['source', 'kind']),
  outbox_republished_total: counter('Rows published again because the audit database missed them.', ['source']),
  outbox_confirmed_total: counter('Rows deleted after the audit database confirmed them.', ['source']),
  outbox_publish_failures_total: counter('Publishes that the bus refused.', ['source']),
  bus_connected: gauge('1 while the bus is connected.', []),
  bus_reconnects_total: counter('Times that the bus was connected again.', []),
  bus_streams_created_total: counter('Streams that were missing and made.', ['stream']),
  bus_messages_total: counter('Messages consumed, by outcome.', ['stream', 'durable', 'outcome']),
  bus_consumer_lag: gauge('Messages that wait for a consumer.', ['stream', 'durable']),
  // Calls in and out (S5)
  rpc_server_requests_total: counter('Calls answered.', ['service', 'method', 'code']),
  rpc_server_duration_seconds: histogram('Duration of calls answered.', ['service', 'method']),
  rpc_client_requests_total: counter('Calls made.', ['target', 'method', 'code']),
  rpc_client_duration_seconds: histogram('Duration of calls made.', ['target', 'method']),
  rpc_client_retries_total: counter('Calls made again.', ['target']),
  rpc_client_retry_budget_exhausted_total: counter('Retries that the budget refused.', ['target']),
  circuit_breaker_state: gauge('0 closed, 1 half open, 2 open.', ['name']),
  circuit_breaker_events_total: counter('Outcomes seen by a breaker.', ['name', 'event']),
  load_shed_total: counter('Calls shed, by criticality.', ['name', 'criticality']),
  concurrency_limit: gauge('Calls that may run at once now.', ['name']),
  // Rate limiting (S1.1)
  rate_limit_requests_total: counter('Requests seen by the limiter.', ['class', 'key', 'outcome']),
  rate_limit_fallback_active: gauge('1 while limits are kept per instance because Redis is down.', []),
  rate_limit_store_errors_total: counter('Failures of the shared counters.', []),
  // Authentication and authorization
  auth_login_attempts_total: counter('Sign-ins, by outcome.', ['outcome']),
  auth_registrations_total: counter('Registrations, by outcome.', ['outcome']),
  auth_lockouts_total: counter('Lockouts.', ['path']),
  auth_lockout_detector_trips_total: counter('Times that one guess each on many accounts was seen.', []),
  auth_token_refresh_total: counter('Refreshes, by outcome.', ['outcome']),
  auth_token_reuse_detected_total: counter('Token families ended after reuse.', []),
  auth_mfa_attempts_total: counter('Second factors tried.', ['method', 'outcome']),
  auth_sessions_revoked_total: counter('Sessions ended, by reason.', ['reason']),
  auth_password_hash_duration_seconds: histogram('Duration of a password hash.', []),
  auth_token_verifications_total: counter('Access tokens checked.', ['outcome']),
  auth_token_cache_hits_total: counter('Access tokens found in the cache.', []),
  auth_revocation_fallback_total: counter('Revocations asked of auth because Redis could not say.', ['outcome']),
  auth_signing_key_expiry_seconds: gauge('Time until the signing key expires.', []),
  service_certificate_expiry_seconds: gauge('Time until the certificate of the process expires.', []),
  tls_handshake_failures_total: counter('TLS handshakes that failed at the port of a service.', []),
  authorization_denied_total: counter('Calls refused for role, assurance or ownership.', [
    'service',
    'method',
    'reason',
  ]),
  // Validation and API security
  validation_failures_total: counter('Requests that broke a rule.', ['service', 'method']),
  sanitized_fields_total: counter('Texts that lost markup or unprintable characters.', ['service']),
  card_number_refused_total: counter('Card numbers found where none belongs.', ['service']),
  http_requests_total: counter('Requests at the edge.', ['route', 'method', 'status']),
  http_request_duration_seconds: histogram('Duration at the edge.', ['route', 'method']),
  http_requests_refused_total: counter('Requests refused before a route.', ['reason']),
  http_cors_refused_total: counter('Origins refused.', []),
  http_deprecated_requests_total: counter('Calls of deprecated methods.', ['method']),
  // Payments
  payments_created_total: counter('Payments made.', ['type', 'currency']),
  payments_psp_requests_total: counter('Calls of the PSP.', ['operation', 'outcome']),
  payments_psp_duration_seconds: histogram('Duration of calls of the PSP.', ['operation']),
  payments_reconciled_total: counter('Payments whose outcome was asked for later.', ['outcome']),
  payments_scheduled_due: gauge('Scheduled payments that are due.', []),
  idempotency_outcomes_total: counter('Idempotency keys, by outcome.', ['outcome']),
  ledger_imbalance: gauge('Sum over all postings, which must be 0.', ['currency']),
  webhooks_received_total: counter('Webhooks of the PSP.', ['outcome']),
  webhook_deliveries_total: counter('Webhooks to merchants.', ['outcome']),
  webhook_deliveries_pending: gauge('Webhooks that wait to be delivered.', []),
  // Notices
  notices_total: counter('Messages to people, by what became of them.', ['template', 'outcome']),
  // Audit log and admin
  audit_events_ingested_total: counter('Events that entered the log.', ['source']),
  audit_events_parked_total: counter('Events parked as poison.', ['reason']),
  audit_lag_seconds: gauge('Age of the newest event when it entered the log.', []),
  audit_log_size: gauge('Records in the log.', []),
  audit_checkpoint_age_seconds: gauge('Age of the last checkpoint that counts; time since the start without one.', []),
  audit_checkpoint_size: gauge('Size of the last cosigned checkpoint.', []),
  audit_ingest_batch_size: histogram('Events a batch.', [], [1, 5, 10, 25, 50, 100, 250, 500]),
  audit_verification_failures_total: counter('Checks of the log that failed.', []),
  audit_parked_events: gauge('Events parked as poison now.', []),
  audit_bulk_writes_total: counter('Records of statements that wrote many rows, one a hundred rows.', ['operation']),
  audit_actorless_writes_total: counter('Records of writes past the services: without an actor, or by another role.', [
    'operation',
  ]),
  anomalies_detected_total: counter('Anomalies, by rule and action.', ['rule', 'action']),
  feature_flag_state: gauge('1 while a flag is on.', ['flag']),
  stale_reads_total: counter('Reads answered from a cache while a dependency was down.', ['kind']),
  health_status: gauge('1 while a check holds.', ['check']),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof metricDefinitions;
export type LabelName = (typeof metricDefinitions)[MetricName]['labels'][number];

/** Out of which few values each label takes its own: never out of what a request says (B-canary). */
export const labelValues: Record<LabelName, string> = {
  action: 'The verb of an SQL statement; what is done about an anomaly.',
  check: 'The health checks that a process registers.',
  class: 'The limits.',
  code: "Connect's sixteen codes, and ok.",
  criticality: 'The criticalities of the contract.',
  currency: 'The currencies that payments supports.',
  database: 'The services that have one.',
  durable: 'The consumers of the bus.',
  event: 'open, halfOpen, close.',
  flag: 'The feature flags.',
  key: 'user, session, ip, other.',
  kind: 'What an outbox row is; which question a cache answered.',
  method: 'The methods of the contract; the methods of HTTP, unknown ones as OTHER; the kinds of second factor.',
  name: 'What a breaker or a limit guards: a service or the PSP.',
  operation: 'The verbs of a write; the calls of the PSP.',
  outcome: 'Words of the code that counts.',
  path: 'What is locked: email, device, otp, password.',
  reason: 'Reasons of the error catalogues and of the code that counts.',
  route: 'The routes of the contract as templates; what matches none is one value.',
  rule: 'The kinds of anomaly.',
  service: 'The processes.',
  source: 'The services.',
  status: 'The status codes that the edge answers.',
  stream: 'The streams of the bus.',
  table: 'The tables that our own statements name.',
  target: 'The services.',
  template: 'The templates of notices.',
  type: 'The types of payment.',
};

type NamesOf<T extends MetricType> = {
  [Name in MetricName]: (typeof metricDefinitions)[Name]['type'] extends T ? Name : never;
}[MetricName];
export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;
export type LabelsOf<Name extends MetricName> = Record<(typeof metricDefinitions)[Name]['labels'][number], string>;
