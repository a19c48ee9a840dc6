import { TransportProvider } from '@connectrpc/connect-query';
import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Router } from 'wouter';
import { queryClient } from '../api/query-client.ts';
import { transport } from '../api/transport.ts';
import { ErrorNotice } from '../errors/error-notice.tsx';
import { useSessionState } from '../session/session-store.ts';
import { StepUpDialog } from '../session/step-up-dialog.tsx';
import { useRestoredSession } from '../session/use-restored-session.ts';
import { Loading } from '../ui/loading.tsx';
import { useHashPath, useHashSearch } from './hash-location.ts';
import { SignedInPages } from './signed-in-pages.tsx';
import { SignedOutPages } from './signed-out-pages.tsx';

/** The whole console. Which pages there are depends on whether somebody is signed in. */
export function Console() {
  return (
    <TransportProvider transport={transport}>
      <QueryClientProvider client={queryClient}>
        <Router hook={useHashPath} searchHook={useHashSearch}>
          <Pages />
          <StepUpDialog />
        </Router>
      </QueryClientProvider>
    </TransportProvider>
  );
}

function Pages() {
  const state = useSessionState();
  const { error, retry } = useRestoredSession();
  const userId = state.kind === 'signed-in' ? state.session.claims.userId : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what one person has read is not there for the next one.
  useEffect(() => () => queryClient.clear(), [userId]);
  if (state.kind === 'signed-in') return <SignedInPages claims={state.session.claims} />;
  if (state.kind === 'signed-out') return <SignedOutPages notice={state.notice} />;
  if (error === undefined) return <Loading what="your session" />;
  return (
    <main className="narrow">
      <ErrorNotice error={error} />
      <button type="button" onClick={retry}>
        Try again
      </button>
    </main>
  );
}
