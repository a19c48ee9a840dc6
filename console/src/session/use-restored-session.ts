import { useCallback, useEffect, useState } from 'react';
import { renewSession } from './renew-session.ts';
import { useSessionState } from './session-store.ts';

/** After a reload: trades the stored refresh token once. An outage ends no session; it can be tried again. */
export function useRestoredSession(): { error: unknown; retry: () => void } {
  const { kind } = useSessionState();
  const [error, setError] = useState<unknown>();
  const retry = useCallback(() => {
    setError(undefined);
    renewSession(undefined).catch(setError);
  }, []);
  useEffect(() => {
    if (kind === 'restoring') retry();
  }, [kind, retry]);
  return { error, retry };
}
