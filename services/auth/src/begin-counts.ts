import type { Metrics } from '@strongroom/platform/telemetry';

/** Begins the series that alerts wait for: Prometheus sees no increase in one that begins above zero. */
export function beginCounts(metrics: Metrics): void {
  for (const outcome of ['failed', 'locked', 'backoff']) metrics.add('auth_login_attempts_total', 0, { outcome });
  for (const path of ['email', 'device', 'otp', 'password']) metrics.add('auth_lockouts_total', 0, { path });
  metrics.add('auth_lockout_detector_trips_total', 0);
  metrics.add('auth_token_reuse_detected_total', 0);
}
