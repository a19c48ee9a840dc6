import { ErrorNotice } from '../errors/error-notice.tsx';
import { Badge } from '../ui/badge.tsx';
import type { Watch } from './use-watch.ts';

/** Whether what is shown keeps itself up to date. */
export function LiveBadge({ watch }: { watch: Watch }) {
  if (watch.state === 'off') return null;
  return (
    <span role="status">
      {watch.state === 'live' && <Badge tone="good">Live</Badge>}
      {watch.state === 'connecting' && <Badge tone="busy">Connecting</Badge>}
      {watch.state === 'refused' && <Badge tone="bad">Not live</Badge>}
    </span>
  );
}

export function WatchError({ watch }: { watch: Watch }) {
  return watch.state === 'refused' ? <ErrorNotice error={watch.error} /> : null;
}
