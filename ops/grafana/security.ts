import { type Dashboard, perSecond, quantile } from './dashboard.ts';

/** Who is refused, where and why: the groups of the plan that look outwards. */
export const securityDashboard: Dashboard = {
  uid: 'strongroom-security',
  title: 'Strongroom: security',
  groups: [
    {
      title: 'Rate limiting',
      panels: [
        {
          title: 'Requests blocked',
          help: 'By the limit and by what it counts: a signed-in person, a session or an address.',
          unit: 'reqps',
          queries: {
            '{{class}} by {{key}}': perSecond('rate_limit_requests_total', ['class', 'key'], 'outcome="refused"'),
          },
        },
        {
          title: 'Requests counted',
          unit: 'reqps',
          queries: { '{{class}} {{outcome}}': perSecond('rate_limit_requests_total', ['class', 'outcome']) },
        },
        {
          title: 'Limits kept per instance',
          help: '1 while Redis is away and each instance counts for itself.',
          queries: {
            '{{process}}': 'max by (process) (rate_limit_fallback_active)',
            'errors of {{process}}': perSecond('rate_limit_store_errors_total', ['process']),
          },
        },
      ],
    },
    {
      title: 'Authentication',
      panels: [
        {
          title: 'Sign-ins',
          unit: 'cps',
          queries: { '{{outcome}}': perSecond('auth_login_attempts_total', ['outcome']) },
        },
        {
          title: 'Locked accounts and detected attacks',
          help: 'In an hour: lockouts, sprayed passwords, refresh tokens used twice.',
          queries: {
            'locked: {{path}}': 'sum by (path) (increase(auth_lockouts_total[1h]))',
            'spray detected': 'sum(increase(auth_lockout_detector_trips_total[1h]))',
            'token reused': 'sum(increase(auth_token_reuse_detected_total[1h]))',
          },
        },
        {
          title: 'Second factors',
          unit: 'cps',
          queries: { '{{method}} {{outcome}}': perSecond('auth_mfa_attempts_total', ['method', 'outcome']) },
        },
        {
          title: 'Sessions',
          unit: 'cps',
          queries: {
            'refresh {{outcome}}': perSecond('auth_token_refresh_total', ['outcome']),
            'ended: {{reason}}': perSecond('auth_sessions_revoked_total', ['reason']),
            'registration {{outcome}}': perSecond('auth_registrations_total', ['outcome']),
          },
        },
        {
          title: 'Access tokens checked',
          unit: 'cps',
          queries: {
            '{{outcome}}': perSecond('auth_token_verifications_total', ['outcome']),
            'from the cache': perSecond('auth_token_cache_hits_total'),
            'asked of auth: {{outcome}}': perSecond('auth_revocation_fallback_total', ['outcome']),
          },
        },
        {
          title: 'Password hashes',
          unit: 's',
          queries: { p95: quantile(0.95, 'auth_password_hash_duration_seconds') },
        },
        {
          title: 'Keys and certificates expire in',
          kind: 'stat',
          unit: 's',
          queries: {
            'signing key': 'min(auth_signing_key_expiry_seconds)',
            'certificate of {{process}}': 'min by (process) (service_certificate_expiry_seconds)',
          },
        },
      ],
    },
    {
      title: 'Authorization',
      panels: [
        {
          title: 'Denied',
          help: 'For the role, the assurance or the ownership that a method asks for.',
          unit: 'cps',
          queries: {
            '{{service}} {{method}} {{reason}}': perSecond('authorization_denied_total', [
              'service',
              'method',
              'reason',
            ]),
          },
        },
        {
          title: 'Permission checks',
          help: 'Every call is checked: what was let through, and what was refused for want of a person or of rights.',
          unit: 'cps',
          queries: {
            '{{service}} let through': perSecond(
              'rpc_server_requests_total',
              ['service'],
              'code!~"unauthenticated|permission_denied"',
            ),
            '{{service}} {{code}}': perSecond(
              'rpc_server_requests_total',
              ['service', 'code'],
              'code=~"unauthenticated|permission_denied"',
            ),
          },
        },
      ],
    },
    {
      title: 'Validation',
      panels: [
        {
          title: 'Requests that broke a rule',
          unit: 'cps',
          queries: { '{{service}} {{method}}': perSecond('validation_failures_total', ['service', 'method']) },
        },
        {
          title: 'Sanitised texts and refused card numbers',
          unit: 'cps',
          queries: {
            'sanitised by {{service}}': perSecond('sanitized_fields_total', ['service']),
            'card number at {{service}}': perSecond('card_number_refused_total', ['service']),
          },
        },
      ],
    },
    {
      title: 'API security',
      panels: [
        {
          title: 'Refused before a route',
          help: 'Requests that are too large, malformed or meant for nobody.',
          unit: 'reqps',
          queries: { '{{reason}}': perSecond('http_requests_refused_total', ['reason']) },
        },
        {
          title: 'Too large, by route',
          unit: 'reqps',
          queries: {
            '{{route}} {{status}}': perSecond('http_requests_total', ['route', 'status'], 'status=~"413|414|431"'),
          },
        },
        {
          title: 'Foreign origins and deprecated methods',
          unit: 'reqps',
          queries: {
            'origin refused': perSecond('http_cors_refused_total'),
            '{{method}} is deprecated': perSecond('http_deprecated_requests_total', ['method']),
          },
        },
        {
          title: 'Webhooks of the payment provider',
          unit: 'reqps',
          queries: { '{{outcome}}': perSecond('webhooks_received_total', ['outcome']) },
        },
      ],
    },
  ],
};
